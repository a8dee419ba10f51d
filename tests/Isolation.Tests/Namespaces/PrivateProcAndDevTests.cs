using FluentAssertions;
using Isolation.Tests.Support;
using Xunit;

namespace Isolation.Tests;

public class PrivateProcAndDevTests
{
    [Fact(Timeout = 30_000)]
    public async Task Dev_has_what_every_program_expects_and_nothing_else()
    {
        (await Sandbox.OutputOf("ls -A /dev")).Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Should().BeEquivalentTo("fd", "full", "null", "ptmx", "pts", "random", "shm", "stderr", "stdin", "stdout", "tty", "urandom", "zero");
        (await Sandbox.OutputOf("for l in fd stdin stdout stderr ptmx; do readlink /dev/$l; done"))
            .Should().Be("/proc/self/fd\n/proc/self/fd/0\n/proc/self/fd/1\n/proc/self/fd/2\npts/ptmx\n");
        (await Sandbox.OutputOf("ls -A /dev/shm /dev/pts")).Should().Be("/dev/pts:\nptmx\n\n/dev/shm:\n");
    }

    [Fact(Timeout = 30_000)]
    public async Task The_devices_work()
    {
        Programs.Require("head", "stat");
        var output = await Sandbox.OutputOf("""
            echo gone > /dev/null; cat /dev/null
            head -c 3 /dev/zero | tr '\0' z; echo
            (echo x > /dev/full) 2>/dev/null || echo full
            head -c 8 /dev/urandom | wc -c; head -c 8 /dev/random | wc -c
            stat -c '%F %t:%T' /dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty
            """);
        output.Should().Be("zzz\nfull\n8\n8\n" + string.Concat(((string[])["1:3", "1:5", "1:7", "1:8", "1:9", "5:0"])
            .Select(static numbers => $"character special file {numbers}\n")));
    }

    [Fact(Timeout = 30_000)]
    public async Task Terminals_are_the_sandboxs_own()
    {
        Programs.Require("script");
        // script(1) opens a terminal by /dev/ptmx; in a devpts instance of its own the first one is number 0.
        (await Sandbox.OutputOf("script -qec tty /dev/null < /dev/null")).Trim().Should().Be("/dev/pts/0");
    }

    [Fact(Timeout = 30_000)]
    public async Task Shared_memory_has_the_size_asked_for()
    {
        var options = Sandbox.Shell("dd if=/dev/zero of=/dev/shm/big bs=64k count=100 2>/dev/null; wc -c < /dev/shm/big");
        options.Filesystem.SharedMemorySize = 1 << 20;
        (await Sandbox.OutputOf(options)).Should().Be("1048576\n");
    }

    [Fact(Timeout = 30_000)]
    public async Task Kernel_files_are_masked()
    {
        var output = await Sandbox.OutputOf("""
            for f in /proc/kcore /proc/keys /proc/interrupts /proc/timer_list /proc/latency_stats /proc/sched_debug /proc/timer_stats; do
              [ -e $f ] && wc -c < $f
            done | sort -u
            for d in /proc/acpi /proc/scsi /proc/asound /sys/firmware /sys/devices/virtual/powercap; do [ -d $d ] && ls -A $d 2>/dev/null; done
            true
            """);
        output.Should().Be("0\n");
    }

    [Fact(Timeout = 30_000)]
    public async Task Kernel_settings_are_read_only_even_with_the_hosts_root()
    {
        // Opened for appending only, so that even a success changes nothing.
        var options = Sandbox.Shell("""
            for f in /proc/sys/kernel/hostname /proc/sys/vm/swappiness /proc/sysrq-trigger /proc/irq/default_smp_affinity \
              /sys/kernel/uevent_helper /sys/kernel/mm/transparent_hugepage/enabled /sys/power/state /sys/kernel/mm/ksm/run; do
              [ -e $f ] && (: >> $f) 2>/dev/null && echo "could open $f"
            done; cat /proc/sys/kernel/ostype
            """);
        options.Filesystem.Root = Root.Host;
        (await Sandbox.OutputOf(options)).Should().Be("Linux\n");
    }

    [Fact(Timeout = 30_000)]
    public async Task Proc_is_an_instance_of_the_sandboxs_own_pid_namespace() =>
        (await Sandbox.OutputOf("cat /proc/1/comm; ls -d /proc/[0-9]* | head -1")).Should().Be("sh\n/proc/1\n");

    [Fact(Timeout = 30_000)]
    public async Task Proc_can_be_left_as_the_host_has_it()
    {
        var options = Sandbox.Shell("""[ -d /proc/$HOST ] && echo "sees the host's" """);
        options.Filesystem.PrivateProc = false;
        options.Environment["HOST"] = Environment.ProcessId.ToString(System.Globalization.CultureInfo.InvariantCulture);
        (await Sandbox.OutputOf(options)).Should().Be("sees the host's\n");
    }
}
