using System.Globalization;
using FluentAssertions;
using Isolation.Tests.Support;
using Xunit;

namespace Isolation.Tests;

/// <summary>What a sandbox tells of itself is what the kernel tells of it.</summary>
public class EnforcementReportTests
{
    public static TheoryData<string, Action<IsolationOptions>> Sandboxes { get; } = new()
    {
        { "the default one", static _ => { } },
        { "Docker's", static options => options.Security = SecurityOptions.Docker },
        { "unconfined", static options => (options.Security, options.Filesystem.MaskKernelFiles) = (SecurityOptions.Unconfined, false) },
        { "no namespaces", static options => options.Namespaces = Namespaces.None },
        { "some namespaces", static options => options.Namespaces = Privilege.Possible(Namespaces.Mount | Namespaces.Uts) },
        { "all namespaces", static options => options.Namespaces = Namespaces.All },
        { "a tree of its own", static options =>
            {
                options.Filesystem.Root = Root.Empty();
                foreach (var path in (string[])["/usr", "/bin", "/lib", "/lib64"]) options.Filesystem.Mounts.Add(new BindMount(path) { IgnoreMissing = true });
            } },
        { "another user", static options =>
            {
                (options.User.UserId, options.User.GroupId) = (1000, 1000);
                options.Security.Capabilities = CapabilitySets.Of(Capabilities.NetBindService | Capabilities.Kill);
                options.Security.SecureBits = SecureBits.NoRoot;
            } },
        { "another user that is to have less", static options =>
            {
                options.User.UserId = 1000;
                options.Security.Capabilities = CapabilitySets.Of(Capabilities.NetBindService | Capabilities.Kill) with { Ambient = Capabilities.Kill };
                options.Security.NoNewPrivileges = false;
            } },
        { "a user by name", static options =>
            {
                options.User.Name = "daemon";
                options.Security.Capabilities = CapabilitySets.Docker;
            } },
        { "more to be gained", static options =>
            options.Security.Capabilities = CapabilitySets.Of(Capabilities.Chown) with { Bounding = Capabilities.Chown | Capabilities.FOwner, Inheritable = Capabilities.FOwner } },
        { "limits and looks", static options =>
            {
                options.Limits[ResourceLimit.OpenFiles] = new LimitRange(20, 30);
                options.Limits.OomScoreAdjustment = 1000;
                (options.Umask, options.Security.Personality) = (63, Personality.NoAddressRandomization);
            } },
        { "Landlock", static options =>
            options.Security.Landlock = new LandlockPolicy { Enforcement = LandlockEnforcement.BestEffort }.AllowPath("/", LandlockAccess.All).AllowConnectTcp(1) },
        { "a filter that asks", static options => options.Security.DenialReporter = static _ => { } },
        { "no further user namespaces", static options => options.User.ForbidNestedUserNamespaces = true },
    };

    [Theory(Timeout = 30_000)]
    [MemberData(nameof(Sandboxes))]
    public async Task A_sandbox_tells_what_the_kernel_enforces(string what, Action<IsolationOptions> choose)
    {
        Assert.SkipWhen(what == "no further user namespaces" && !File.Exists("/proc/sys/user/max_user_namespaces"), "This /proc has no such limit.");
        var options = Sandbox.Shell(":");
        options.Namespaces |= Namespaces.User;
        choose(options);
        await using var process = await Sandbox.Waiting(options);
        var (report, pid) = (process.Enforced, process.ProcessId);
        foreach (var (single, link) in HostView.Links)
            report.Namespaces.HasFlag(single).Should().Be(HostView.Namespace(pid, link) != HostView.Namespace(Environment.ProcessId, link), "that is so of {0}", link);
        Map(report.UserMap).Should().Be(ProcMap(pid, "uid_map", options));
        Map(report.GroupMap).Should().Be(ProcMap(pid, "gid_map", options));
        OnHost(report.UserMap, report.UserId).Should().Be(HostView.StatusField(pid, "Uid").Split('\t')[1]);
        OnHost(report.GroupMap, report.GroupId).Should().Be(HostView.StatusField(pid, "Gid").Split('\t')[1]);

        var sets = report.Capabilities;
        foreach (var (name, set) in (ReadOnlySpan<(string, Capabilities)>)
            [("CapPrm", sets.Permitted), ("CapEff", sets.Effective), ("CapBnd", sets.Bounding), ("CapInh", sets.Inheritable!.Value), ("CapAmb", sets.Ambient!.Value)])
            HostView.StatusField(pid, name).Should().Be(((ulong)set).ToString("x16", CultureInfo.InvariantCulture), "that is so of {0}", name);
        HostView.StatusField(pid, "NoNewPrivs").Should().Be(report.NoNewPrivileges || HostView.StatusField(Environment.ProcessId, "NoNewPrivs") == "1" ? "1" : "0");
        report.SecureBits.Should().Be(options.Security.SecureBits);

        int.Parse(HostView.StatusField(pid, "Seccomp_filters"), CultureInfo.InvariantCulture)
            .Should().Be(int.Parse(HostView.StatusField(Environment.ProcessId, "Seccomp_filters"), CultureInfo.InvariantCulture) + (report.Seccomp is null ? 0 : 1));
        report.Seccomp.Should().BeSameAs(options.Security.Seccomp);
        (report.SeccompInstructions > 0).Should().Be(report.Seccomp is not null);
        report.Landlock.Should().BeSameAs(process.Landlock);
        report.SessionKeyring.Should().Be(options.Security.InheritSessionKeyring ? SessionKeyring.Inherited : SessionKeyring.Empty);

        HostView.Read(pid, "personality").Should().Be(((uint)report.Personality).ToString("x8", CultureInfo.InvariantCulture) + "\n");
        Convert.ToInt32(HostView.StatusField(pid, "Umask"), 8).Should().Be(report.Umask);
        HostView.Read(pid, "oom_score_adj").Trim().Should().Be((report.OomScoreAdjustment ?? int.Parse(File.ReadAllText("/proc/self/oom_score_adj"), CultureInfo.InvariantCulture))
            .ToString(CultureInfo.InvariantCulture));
        report.Limits.Keys.Should().Equal(options.Limits[ResourceLimit.OpenFiles] is null ? [] : [ResourceLimit.OpenFiles]);
        if (report.Limits.TryGetValue(ResourceLimit.OpenFiles, out var files)) HostView.Read(pid, "limits").Should().MatchRegex($@"Max open files\s+{files.Soft}\s+{files.Hard}\s");
        Masks(pid, report, (options.Namespaces & Namespaces.Mount) != 0);

        var text = report.ToString();
        text.Should().Contain("namespaces: ").And.Contain("seccomp: ").And.Contain("capabilities: ").And.Contain("masked: ").And.NotContain("Isolation.");
        foreach (var path in report.MaskedPaths) text.Should().Contain(path);
    }

    [Fact(Timeout = 30_000)]
    public async Task A_program_that_enters_a_sandbox_tells_so_too()
    {
        var first = Sandbox.Shell(":");
        first.Namespaces |= Namespaces.User;
        first.Security = SecurityOptions.Docker;
        first.Limits[ResourceLimit.OpenFiles] = 77;
        await using var sandbox = await Sandbox.Waiting(first);
        foreach (var profile in (SecurityOptions?[])[null, SecurityOptions.Default])
        {
            var options = Sandbox.Shell("echo ready; read -r line");
            (options.StandardInput, options.StandardOutput) = (StandardStream.Pipe, StandardStream.Pipe);
            if (profile is not null) options.Security = profile;
            await using var process = sandbox.Start(options);
            (await process.ReadLine()).Should().Be("ready");
            var report = process.Enforced;
            report.Capabilities.Permitted.Should().Be(profile is null ? CapabilitySets.Docker.Permitted : Capabilities.None, "what is not chosen is the sandbox's");
            report.Seccomp.Should().BeSameAs(profile is null ? SeccompProfile.Docker : SeccompProfile.Default);
            HostView.StatusField(process.ProcessId, "CapPrm").Should().Be(((ulong)report.Capabilities.Permitted).ToString("x16", CultureInfo.InvariantCulture));
            HostView.StatusField(process.ProcessId, "CapBnd").Should().Be(((ulong)report.Capabilities.Bounding).ToString("x16", CultureInfo.InvariantCulture));
            HostView.StatusField(process.ProcessId, "NoNewPrivs").Should().Be(report.NoNewPrivileges ? "1" : "0");
            (report.SessionKeyring, report.Limits[ResourceLimit.OpenFiles].Soft, report.UserMap.Count).Should().Be((SessionKeyring.Empty, 77ul, 0));
            OnHost(sandbox.Enforced.UserMap, report.UserId).Should().Be(HostView.StatusField(process.ProcessId, "Uid").Split('\t')[1]);
        }
    }

    [Fact(Timeout = 30_000)]
    public async Task It_stays_the_same_whatever_becomes_of_the_options_and_the_program()
    {
        var options = Sandbox.Shell(":");
        options.Limits[ResourceLimit.OpenFiles] = 64;
        await using var process = await Sandbox.Waiting(options);
        options.Limits[ResourceLimit.OpenFiles] = 32;
        options.Security.NoNewPrivileges = false;
        options.Security.Capabilities = CapabilitySets.Docker;
        await process.StopAsync(TimeSpan.Zero, cancellationToken: TestContext.Current.CancellationToken);
        process.Enforced.Limits[ResourceLimit.OpenFiles].Should().Be(new LimitRange(64, 64));
        process.Enforced.NoNewPrivileges.Should().BeTrue();
        process.Enforced.Capabilities.Permitted.Should().Be(Capabilities.None);
        process.Enforced.Should().BeSameAs(process.Enforced);
    }

    [Fact(Timeout = 30_000)]
    public async Task Who_finds_a_program_does_not_claim_to_know()
    {
        var name = "enforced-" + Guid.NewGuid().ToString("N");
        var options = new IsolationOptions("sleep", "1000") { StandardInput = StandardStream.Null, StandardOutput = StandardStream.Null, StandardError = StandardStream.Null };
        await using var started = IsolatedProcess.StartDetached(options, name);
        started.Enforced.Seccomp.Should().BeSameAs(SeccompProfile.Default);
        await using var found = IsolatedProcess.FindDetached(name);
        found!.Invoking(static process => process.Enforced).Should().Throw<InvalidOperationException>();
        found!.Landlock.Should().BeNull();
        found.Kill();
        await found.WaitForExitAsync(TestContext.Current.CancellationToken);
    }

    private static string Map(IReadOnlyList<IdMapping> map) => string.Join('\n', map.Select(static line => $"{line.ShownId} {line.HostId} {line.Count}"));

    private static string ProcMap(int pid, string file, IsolationOptions options) => (options.Namespaces & Namespaces.User) == 0 ? ""
        : string.Join('\n', HostView.Read(pid, file).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(static line => string.Join(' ', line.Split(' ', StringSplitOptions.RemoveEmptyEntries))));

    private static string OnHost(IReadOnlyList<IdMapping> map, uint id)
    {
        foreach (var line in map)
            if (id >= line.ShownId && id - line.ShownId < line.Count) return (line.HostId + (id - line.ShownId)).ToString(CultureInfo.InvariantCulture);
        return map.Count == 0 ? id.ToString(CultureInfo.InvariantCulture) : "nobody";
    }

    /// <summary>What covers something in /proc, and in /sys as far as it is ours to say, by the mounts that the program sees.</summary>
    private static void Masks(int pid, EnforcementReport report, bool hasMount)
    {
        if (!hasMount)
        {
            (report.MaskedPaths.Count, report.ReadOnlyPaths.Count).Should().Be((0, 0));
            return;
        }

        var mounts = HostView.Read(pid, "mountinfo").Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(static line => line.Split(' '))
            .Select(static fields => (Path: fields[4], Type: fields[Array.IndexOf(fields, "-") + 1], Options: fields[5].Split(','))).ToArray();
        var covered = mounts.Where(static mount => mount.Path.StartsWith("/proc/", StringComparison.Ordinal));
        if ((report.Namespaces & Namespaces.Pid) != 0) // else it is the host's, in which more may be mounted
        {
            report.ReadOnlyPaths.Where(static path => path != "/sys").Should()
                .BeEquivalentTo(covered.Where(static mount => mount.Type == "proc" && mount.Options.Contains("ro")).Select(static mount => mount.Path).Distinct());
            report.MaskedPaths.Where(static path => path.StartsWith("/proc/", StringComparison.Ordinal)).Should()
                .BeEquivalentTo(covered.Where(static mount => mount.Type != "proc" && mount.Path != "/proc/sys/fs/binfmt_misc").Select(static mount => mount.Path).Distinct());
        }

        foreach (var path in report.ReadOnlyPaths) mounts.Last(mount => mount.Path == path).Options.Should().Contain("ro", "{0} cannot be written", path);
        foreach (var path in report.MaskedPaths) mounts.Should().Contain(mount => mount.Path == path && mount.Type != "proc" && mount.Type != "sysfs");
    }
}
