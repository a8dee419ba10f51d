using System.Globalization;
using FluentAssertions;
using Isolation.Tests.Hosts;
using Isolation.Tests.Support;
using Xunit;

namespace Isolation.Tests.Identities;

/// <summary>newuidmap and newgidmap, as an ordinary user's host has them, or has not.</summary>
public class MapHelperTests
{
    private const string Real = "/usr/bin";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact(Timeout = 60_000)]
    public async Task Subordinate_ids_are_mapped_and_nothing_stays_behind() => (await Run(Real)).Should().Be("exit code 0\n");

    [Fact(Timeout = 60_000)]
    public async Task A_host_that_loses_its_childrens_statuses_can_map_them_too() =>
        (await HostApp.RunAsync(Token, ["ignoring-sigchld", .. AsUser(), "subordinate", Real])).Should().Be("exit code 0\n");

    [Fact(Timeout = 60_000)]
    public async Task Who_has_no_newuidmap_is_told_which_package_has_it()
    {
        using var folder = new TemporaryFolder();
        File.SetUnixFileMode(folder.Path, (UnixFileMode)0x1ed);
        (await Run(folder.Path)).Should().StartWith("map the user ids|execve|2|newuidmap|newuidmap is not installed").And.Contain("package uidmap");
    }

    [Fact(Timeout = 60_000)]
    public async Task What_newuidmap_complains_of_is_in_the_error()
    {
        using var folder = Helpers("echo 'it rains' >&2; exit 3");
        (await Run(folder.Path)).Should().StartWith("map the user ids|newuidmap|0||It says: \"it rains\"");
    }

    [Fact(Timeout = 60_000)]
    public async Task A_newuidmap_that_says_nothing_is_blamed_nevertheless()
    {
        using var folder = Helpers("exit 1");
        (await Run(folder.Path)).Should().Contain("without a word");
    }

    [Fact(Timeout = 60_000)]
    public async Task A_newuidmap_that_hangs_does_not_outlive_the_time_for_the_start()
    {
        using var folder = Helpers("echo much; exec /bin/sleep 1000");
        (await Run(folder.Path, "limited")).Should().Contain("within the time");
    }

    [Fact(Timeout = 60_000)]
    public async Task It_gets_a_clean_environment_and_no_descriptors()
    {
        using var folder = Helpers("echo $(/usr/bin/env | /usr/bin/sort) $(/usr/bin/id -u) $(/usr/bin/readlink /proc/$$/fd/0) >&2; [ ! -e /proc/$$/fd/4 ] && exit 1");
        (await Run(folder.Path)).Should().MatchRegex($"\"HOME=/tmp LANG=C.UTF-8 (OLDPWD=\\S+ )?PATH={folder.Path} PWD=/ {UserId()} /dev/null\"");
    }

    [Fact(Timeout = 600_000)]
    public async Task Whatever_goes_wrong_at_any_step_with_subordinate_ids_leaves_the_host_as_it_was() =>
        (await HostApp.RunAsync(Token, [.. AsUser(), "faults", "subordinate"])).Should().EndWith("fine\n");

    private static TemporaryFolder Helpers(string script)
    {
        var folder = new TemporaryFolder();
        File.SetUnixFileMode(folder.Path, (UnixFileMode)0x1ed);
        foreach (var name in (string[])["newuidmap", "newgidmap"]) File.SetUnixFileMode(folder.File(name, $"#!/bin/sh\n{script}\n"), (UnixFileMode)0x1ed);
        return folder;
    }

    private static Task<string> Run(params string[] arguments) => HostApp.RunAsync(Token, [.. AsUser(), "subordinate", .. arguments]);

    /// <summary>The settings that make the app one of somebody with subordinate ids: nothing when the tests are.</summary>
    private static string[] AsUser()
    {
        Assert.SkipUnless(File.Exists(Real + "/newuidmap"), "newuidmap is not installed (package uidmap).");
        var granted = Owners("/etc/subuid").Intersect(Owners("/etc/subgid")).ToHashSet();
        foreach (var line in File.ReadLines("/etc/passwd"))
        {
            if (line.Split(':') is not [var name, _, var user, var group, ..] || user != group || user == "0" || !granted.Contains(name) && !granted.Contains(user)) continue;
            if (HostApp.IsRoot) return ["as-user", user];
            if (user == Privilege.UserId.ToString(CultureInfo.InvariantCulture)) return [];
        }

        Assert.Skip(HostApp.IsRoot ? "Nobody on this machine has subordinate ids (/etc/subuid, /etc/subgid)." : "This user has no subordinate ids.");
        return [];
    }

    private static string UserId() => HostApp.IsRoot ? AsUser()[1] : Privilege.UserId.ToString(CultureInfo.InvariantCulture);

    private static IEnumerable<string> Owners(string file) => File.Exists(file) ? File.ReadLines(file).Select(static line => line.Split(':')[0]) : [];
}
