using System.Globalization;
using FluentAssertions;
using Isolation.Tests.Escapes;
using Isolation.Tests.Support;
using Xunit;

namespace Isolation.Tests;

/// <summary>Attacks on the files by which the kernel is read and steered. Each succeeds without masks, so that it is known to be one.</summary>
public class KernelFileAttackTests
{
    private const string Steer = """
        for f in sys/kernel/core_pattern sys/kernel/modprobe sys/vm/swappiness sysrq-trigger irq/default_smp_affinity; do
          [ -e ${P:-/proc}/$f ] && (: >> ${P:-/proc}/$f) && echo $f
        done
        for f in $($B find ${P:-/proc}/sys -type f); do true >> $f && echo $f; done; :
        """;

    private const string Read = """
        for f in kcore interrupts keys latency_stats sched_debug timer_list timer_stats; do
          [ -e /proc/$f ] && [ -n "$($B head -c 1 /proc/$f | $B od -A n -t x1)" ] && echo $f
        done; :
        """;

    private const string All = Read + "\n" + Steer;

    // Whoever is root over new namespaces of his own may mount; what the sandbox has covered must stay so.
    private const string ReadBelow = """
        $B unshare -U -r -m -p -f $B sh -c '
          echo nested
          $B umount -l /proc/interrupts; $B umount -l /proc/keys; $B umount -l /proc
          $B mount -t tmpfs t /tmp; $B mkdir /tmp/bind /tmp/fresh /tmp/over
          $B mount -o bind /proc /tmp/bind; $B mount -t proc p /tmp/fresh; $B mount -t overlay -o lowerdir=/proc:/tmp/bind o /tmp/over
          for d in /proc /tmp/bind /tmp/fresh /tmp/over; do [ -n "$($B head -n 1 $d/interrupts)" ] && echo $d; done'
        :
        """;

    [Theory(Timeout = 30_000)]
    [MemberData(nameof(AttackedTree.Every), MemberType = typeof(AttackedTree))]
    [EscapeAttempt(8)]
    public async Task Attempt_08_the_kernel_cannot_be_steered(TreeKind kind, bool userNamespace)
    {
        using var tree = new AttackedTree(kind, userNamespace);
        // These files ask for no capability, only for the host's root.
        const string pretend = "P=/tmp/proc; $B mkdir -p $P/sys/kernel; : > $P/sys/kernel/core_pattern\n";
        (await tree.Attack(Privilege.CanMapEverything ? Steer : pretend + Steer, WithoutMasks)).Should().Contain("sys/kernel/core_pattern\n");
        (await tree.Attack(Steer)).Should().BeEmpty();
    }

    [Theory(Timeout = 30_000)]
    [MemberData(nameof(AttackedTree.Every), MemberType = typeof(AttackedTree))]
    [EscapeAttempt(19)]
    public async Task Attempt_19_what_the_kernel_tells_about_the_machine_cannot_be_read(TreeKind kind, bool userNamespace)
    {
        using var tree = new AttackedTree(kind, userNamespace);
        (await tree.Attack(Read, WithoutMasks)).Should().Contain("interrupts\n");
        (await tree.Attack(Read)).Should().BeEmpty();
    }

    [Theory(Timeout = 30_000)]
    [MemberData(nameof(EscapeModes.Every), MemberType = typeof(EscapeModes))]
    [EscapeAttempt(19)]
    public async Task Attempt_19_debugging_and_tracing_show_nothing_of_the_host(EscapeMode mode)
    {
        // Files of root's, which a root without capabilities is as well; sched_debug, which lists every process, has moved there.
        const string look = "for d in debug tracing; do for f in /sys/kernel/$d/*; do [ -e $f ] && echo $d && break; done; done; :";
        var options = mode.In(Sandbox.Shell(look));
        (await Sandbox.OutputOf(options)).Should().BeEmpty();
        options.Filesystem.MaskKernelFiles = false;
        var there = ((string[])["debug", "tracing"]).Where(static name => Directory.Exists("/sys/kernel/" + name));
        if (mode != EscapeMode.Rootless)
            (await Sandbox.OutputOf(options)).Should().Be(string.Concat(there.Where(static name => Directory.EnumerateFileSystemEntries("/sys/kernel/" + name).Any()).Select(static name => name + "\n")));

        // Where the host has nothing there, at least it could not be seen.
        if (mode == EscapeMode.Rootless) return;
        options.With("grep -o ' /sys/kernel/[dt][a-z]* .*' /proc/self/mountinfo").Filesystem.MaskKernelFiles = true;
        var mounts = (await Sandbox.OutputOf(options)).Split('\n');
        foreach (var name in there) mounts.Last(line => line.StartsWith($" /sys/kernel/{name} ", StringComparison.Ordinal)).Should().Contain("tmpfs").And.Contain("size=0");
    }

    [Theory(Timeout = 30_000)]
    [MemberData(nameof(AttackedTree.Every), MemberType = typeof(AttackedTree))]
    public async Task Masks_cannot_be_lifted_by_the_root_of_a_namespace_made_inside(TreeKind kind, bool userNamespace)
    {
        using var tree = new AttackedTree(kind, userNamespace);
        (await tree.Attack(ReadBelow, static options =>
        {
            WithoutMasks(options);
            BecomeUser(options);
        })).Should().StartWith("nested\n").And.Contain("/proc\n").And.Contain("/tmp/fresh\n");
        (await tree.Attack(ReadBelow, BecomeUser)).Should().Be("nested\n");
    }

    [Theory(Timeout = 30_000)]
    [MemberData(nameof(AttackedTree.Every), MemberType = typeof(AttackedTree))]
    public async Task Whoever_keeps_capabilities_can_lift_them(TreeKind kind, bool userNamespace)
    {
        // As the documentation says: it is what the tests above would miss if masks were not there at all.
        using var tree = new AttackedTree(kind, userNamespace);
        (await tree.Attack("$B umount -l /proc/interrupts; " + Read, static options => options.Security.Capabilities = CapabilitySets.All)).Should().Contain("interrupts\n");
    }

    [Theory(Timeout = 30_000)]
    [MemberData(nameof(AttackedTree.Every), MemberType = typeof(AttackedTree))]
    public async Task Masks_are_there_whatever_is_mounted_over_dev(TreeKind kind, bool userNamespace)
    {
        using var tree = new AttackedTree(kind, userNamespace);
        using var folder = new TemporaryFolder();
        var file = folder.File("null", "no device at all");
        Mount[] mounts = [new TmpfsMount("/dev"), new BindMount(folder.Path, "/dev"), new DeniedPath("/dev"), new BindMount(file, "/dev/null"), new DeniedPath("/dev/null")];
        foreach (var mount in mounts)
        {
            (await tree.Attack(All, options =>
            {
                WithoutMasks(options);
                options.Filesystem.Mounts.Add(mount);
            })).Should().Contain("interrupts\n", "{0} itself hides nothing", mount);
            (await tree.Attack(All, options => options.Filesystem.Mounts.Add(mount))).Should().BeEmpty("{0} is over it", mount);
        }
    }

    [Theory(Timeout = 30_000)]
    [MemberData(nameof(AttackedTree.Every), MemberType = typeof(AttackedTree))]
    public async Task Masks_are_there_without_a_private_dev(TreeKind kind, bool userNamespace)
    {
        using var tree = new AttackedTree(kind, userNamespace);
        (await tree.Attack(All, static options => options.Filesystem.PrivateDev = options.Filesystem.MaskKernelFiles = false)).Should().Contain("interrupts\n");
        (await tree.Attack(All, static options => options.Filesystem.PrivateDev = false)).Should().BeEmpty();
    }

    [Theory(Timeout = 30_000)]
    [MemberData(nameof(AttackedTree.Every), MemberType = typeof(AttackedTree))]
    public async Task Every_mask_is_the_null_device(TreeKind kind, bool userNamespace)
    {
        using var tree = new AttackedTree(kind, userNamespace);
        var text = await tree.Attack("for f in /proc/interrupts /proc/keys /proc/kcore; do [ -e $f ] && $B stat -c %t:%T $f; done | $B sort -u; $B cat /proc/self/mountinfo");
        text.Should().StartWith("1:3\n");
        var masks = text.Split('\n').Count(static line => line.Contains(" /null ", StringComparison.Ordinal) && line.Split(' ')[4].StartsWith("/proc/", StringComparison.Ordinal));
        masks.Should().BeGreaterThanOrEqualTo(2, "{0}", string.Create(CultureInfo.InvariantCulture, $"of {text}"));
    }

    /// <summary>User 0 without capabilities may not map itself: user_namespaces(7), CAP_SETFCAP.</summary>
    private static void BecomeUser(IsolationOptions options) => options.User.UserId = options.User.GroupId = 1000;

    private static void WithoutMasks(IsolationOptions options) => options.Filesystem.MaskKernelFiles = false;
}
