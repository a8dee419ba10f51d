using System.Text.RegularExpressions;
using FluentAssertions;
using Isolation.Tests.Support;
using Xunit;

namespace Isolation.Tests.Samples;

public partial class ReadmeTests
{
    private readonly ReadmeExamples _examples = new();

    [Fact]
    public void Every_csharp_block_of_the_readme_is_code_that_compiles()
    {
        var blocks = CodeBlock().Matches(File.ReadAllText(Beside("README.md"))).Select(match => Unindented(match.Groups["code"].Value)).ToList();
        var regions = Region().Matches(File.ReadAllText(Beside("ReadmeExamples.cs"))).Select(match => Unindented(match.Groups["code"].Value)).ToList();

        blocks.Should().NotBeEmpty();
        blocks.Should().BeEquivalentTo(regions, because: "each block is a region of the compiled ReadmeExamples.cs, and each region is shown once");
    }

    [Fact(Timeout = 30_000)]
    public async Task The_first_example_prints_what_it_says()
    {
        await _examples.First();
        _examples.Console.Text.Should().Be("I am process 1 of box\n0\n");
    }

    [Fact(Timeout = 30_000)]
    public async Task The_timeout_example_prints_what_it_says()
    {
        await Task.Run(_examples.Timeout, TestContext.Current.CancellationToken);
        _examples.Console.Text.Should().Be("started\nsignal SIGKILL, canceled\n");
    }

    [Fact(Timeout = 30_000)]
    public async Task The_example_of_pipes_prints_what_it_says()
    {
        await _examples.Pipes();
        _examples.Console.Text.Should().Be("apple\npear\nexit code 0\n");
    }

    [Fact(Timeout = 30_000)]
    public async Task The_example_of_a_terminal_prints_what_it_says()
    {
        await _examples.Terminal();
        _examples.Console.Text.Should().Contain("tty; stty size; exit\r\n").And.EndWith("/dev/pts/0\r\n30 100\r\n");
    }

    [Fact]
    public void The_example_of_the_environment_prints_what_it_says()
    {
        _examples.Environment();
        _examples.Console.Text.Should().Be("hello from /usr\n");
    }

    [Fact]
    public void The_example_of_a_single_namespace_sees_loopback_only()
    {
        _examples.Network();
        Interface().Matches(_examples.Console.Text).Select(match => match.Groups["name"].Value).Should().Contain("lo")
            .And.OnlyContain(name => name == "lo" || IsMadeInEveryNamespace(name));
    }

    [Fact]
    public void The_example_of_a_folder_to_work_in_changes_nothing_else()
    {
        using var folder = new TemporaryFolder();
        folder.File("input.txt");
        folder.File(".env", "secret");
        _examples.Project(folder.Path);
        _examples.Console.Text.Should().Be("input.txt\nbox\n");
        File.ReadAllText(folder.Path + "/result.txt").Should().Be("done\n");
    }

    [Fact]
    public void The_example_of_a_tree_of_ones_own_has_nothing_else()
    {
        Programs.Require("busybox");
        _examples.Tree();
        _examples.Console.Text.Should().Be("bin\ndev\nproc\ntmp\nwork\n");
    }

    [Fact]
    public void The_example_of_a_copy_leaves_the_folder_as_it_is()
    {
        using var root = Trees.MakeRoot();
        var before = Trees.Content(root.Path);
        _examples.Copy(root.Path);
        _examples.Console.Text.Should().Be("gone\n");
        Trees.Content(root.Path).Should().Equal(before);
    }

    [Fact(Timeout = 60_000)]
    public async Task The_example_of_an_image_runs_a_program_of_it()
    {
        using var image = await BusyboxImage.MakeAsync();
        using var store = new TemporaryFolder();
        await _examples.Images(store.Path + "/store", image.DockerArchive);
        _examples.Console.Text.Should().StartWith("bin\n").And.Contain("etc\n").And.NotContain("usr\n");
    }

    [Fact]
    public void The_example_of_an_explanation_prints_the_steps()
    {
        _examples.Explain();
        _examples.Console.Text.Should().Contain("sethostname(\"box\", 3)").And.Contain("execve(\"/bin/true\"");
    }

    [Fact(Timeout = 30_000)]
    public async Task The_example_of_stopping_prints_what_it_says()
    {
        await _examples.Stop();
        _examples.Console.Text.Should().Be("2\nsignal SIGTERM\n");
    }

    [Fact(Timeout = 30_000)]
    public async Task The_example_of_a_suspended_start_prints_what_it_says()
    {
        await _examples.Suspended();
        _examples.Console.Text.Should().Be("True\n0\n", "what echo writes goes to the tests' own output");
    }

    [Fact(Timeout = 30_000)]
    public async Task The_example_of_a_detached_program_prints_what_it_says()
    {
        await _examples.Detached();
        _examples.Console.Text.Should().Be("False\nsignal SIGKILL\n");
    }

    [Fact(Timeout = 30_000)]
    public async Task The_example_of_joining_prints_what_it_says()
    {
        await _examples.Joining();
        _examples.Console.Text.Should().Be("box\nsleep\n2\nbox\n1\nNetwork\n");
    }

    [Fact(Timeout = 60_000)]
    public async Task The_example_of_a_method_prints_what_it_says()
    {
        await _examples.OwnMethod();
        _examples.Console.Text.Should().Be("4\n");
    }

    [Fact]
    public void The_example_of_Landlock_refuses_what_is_not_allowed()
    {
        Assert.SkipUnless(LandlockPolicy.KernelAbi >= LandlockPolicy.NewestAbi - 1, "All rights of Landlock need Linux 6.12 with Landlock.");
        _examples.Landlock();
        _examples.Console.Text.Should().StartWith("root:").And.EndWith("\nrefused\n");
    }

    [Fact(Timeout = 30_000)]
    public async Task The_example_of_a_profile_prints_what_it_says()
    {
        await _examples.Profile();
        _examples.Console.Text.Should().StartWith("Empty\nNone\nnamespaces: ").And.Contain("\ncapabilities: permitted CAP_CHOWN").And.Contain("\nnew privileges: none by exec\n")
            .And.Contain("\nmasked: /proc/");
    }

    [Fact]
    public void The_example_of_errors_prints_what_it_says()
    {
        _examples.Errors();
        _examples.Console.Text.Should().StartWith("enter the working directory\nchdir\n2\n/tmp/work\nThe working directory does not exist inside the sandbox (private folders ");
    }

    // Some drivers put a fallback device of theirs, which is down, into every namespace (net.core.fb_tunnels_only_for_init_net).
    private static bool IsMadeInEveryNamespace(string name) => name.EndsWith('0');

    private static string Beside(string file) => Path.Combine(AppContext.BaseDirectory, file);

    private static string Unindented(string code)
    {
        var lines = code.TrimEnd().Split('\n');
        var indentation = lines.Where(line => line.Trim().Length > 0).Min(line => line.Length - line.TrimStart().Length);
        return string.Join('\n', lines.Select(line => line.Length >= indentation ? line[indentation..].TrimEnd() : ""));
    }

    [GeneratedRegex(@"^```csharp\n(?<code>.*?)^```$", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex CodeBlock();

    [GeneratedRegex(@"^ *// README: (?!end)\w+\n(?<code>.*?)^ *// README: end$", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Region();

    [GeneratedRegex(@"^ *(?<name>[^ :|]+):", RegexOptions.Multiline)]
    private static partial Regex Interface();
}
