using System.Globalization;
using FluentAssertions;
using Isolation.Interop;
using Isolation.Tests.Support;
using Xunit;

namespace Isolation.Tests;

public class ProgramTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact(Timeout = 30_000)]
    public async Task The_environment_is_small_and_clean() =>
        (await Sandbox.OutputOf(new IsolationOptions("env")))
            .Should().Be("HOME=/tmp\nLANG=C.UTF-8\nPATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n");

    [Fact(Timeout = 30_000)]
    public async Task Variables_can_be_added_replaced_and_removed()
    {
        var options = new IsolationOptions("/usr/bin/env");
        options.Environment["HOME"] = "/root";
        options.Environment["LANG"] = null;
        options.Environment["PATH"] = null;
        options.Environment["MISSING"] = null;
        options.Environment["EMPTY"] = "";
        options.Environment["TEXT"] = "a=b \"quoted\" 'ä' $HOME";
        (await Sandbox.OutputOf(options)).Should().Be("EMPTY=\nHOME=/root\nTEXT=a=b \"quoted\" 'ä' $HOME\n");
    }

    [Fact(Timeout = 30_000)]
    public async Task The_hosts_environment_can_be_inherited()
    {
        var name = "ISOLATION_TEST_" + Guid.NewGuid().ToString("N");
        Environment.SetEnvironmentVariable(name, "set in the host");
        try
        {
            var options = new IsolationOptions("/usr/bin/env") { InheritEnvironment = true };
            options.Environment["ADDED"] = "1";
            options.Environment["HOME"] = null;
            var lines = (await Sandbox.OutputOf(options)).Split('\n');
            lines.Should().Contain(name + "=set in the host").And.Contain("ADDED=1")
                .And.Contain("PATH=" + Environment.GetEnvironmentVariable("PATH"));
            lines.Should().NotContain(static line => line.StartsWith("HOME=", StringComparison.Ordinal));
            (await Sandbox.OutputOf(new IsolationOptions("env"))).Should().NotContain(name);
        }
        finally
        {
            Environment.SetEnvironmentVariable(name, null);
        }
    }

    [Fact(Timeout = 30_000)]
    public async Task An_environment_can_be_empty()
    {
        var options = new IsolationOptions("/usr/bin/env");
        foreach (var name in (string[])["HOME", "LANG", "PATH"]) options.Environment[name] = null;
        (await Sandbox.OutputOf(options)).Should().BeEmpty();
    }

    [Fact(Timeout = 30_000)]
    public async Task Arguments_arrive_as_they_are()
    {
        string[] arguments =
        [
            "", "two words", "\"double\" 'single'", "new\nline\n", "tab\t", "äöü € 😀", "$HOME `id` $(id) ; & | > *", "\\back\\slash",
            "-n", "--", " ", "x=1", new string('x', 100_000),
        ];
        var options = new IsolationOptions("sh", ["-c", "for a; do printf '[%s]' \"$a\"; done", "sh", .. arguments]);
        (await Sandbox.OutputOf(options)).Should().Be(string.Concat(arguments.Select(static argument => $"[{argument}]")));
    }

    [Fact(Timeout = 30_000)]
    public async Task Thousands_of_arguments_arrive()
    {
        var options = new IsolationOptions("sh",
            ["-c", "echo $#; eval echo \\${$#}", "sh", .. Enumerable.Range(1, 5000).Select(static n => $"argument {n}")]);
        (await Sandbox.OutputOf(options)).Should().Be("5000\nargument 5000\n");
    }

    [Fact(Timeout = 30_000)]
    public async Task The_name_of_a_program_is_what_was_asked_for()
    {
        (await Sandbox.OutputOf(new IsolationOptions("sh", "-c", "cat /proc/$$/cmdline; :"))).Should().StartWith("sh\0-c\0");
        (await Sandbox.OutputOf(new IsolationOptions("/bin/sh", "-c", "cat /proc/$$/cmdline; :"))).Should().StartWith("/bin/sh\0-c\0");
    }

    [Fact(Timeout = 30_000)]
    public async Task The_working_directory_is_the_root_unless_told_otherwise()
    {
        (await Sandbox.OutputOf(new IsolationOptions("pwd"))).Should().Be("/\n");
        (await Sandbox.OutputOf(new IsolationOptions("pwd") { WorkingDirectory = "/usr/bin/../lib" })).Should().Be("/usr/lib\n");
        (await Sandbox.OutputOf(new IsolationOptions("pwd") { WorkingDirectory = "/tmp" })).Should().Be("/tmp\n");
    }

    [Fact]
    public void A_relative_working_directory_is_refused() =>
        FluentActions.Invoking(() => IsolatedProcess.Run(new IsolationOptions("true") { WorkingDirectory = "usr" }))
            .Should().Throw<ArgumentException>().WithMessage("WorkingDirectory*");

    [Fact(Timeout = 30_000)]
    public async Task A_name_is_looked_up_along_the_sandboxs_path()
    {
        using var folder = new TemporaryFolder();
        var (first, second) = (Directory.CreateDirectory(Path.Combine(folder.Path, "first")).FullName,
            Directory.CreateDirectory(Path.Combine(folder.Path, "second")).FullName);
        folder.Script("second/isolation-probe", "echo second");
        var options = new IsolationOptions("isolation-probe");
        options.Filesystem.PrivateTmp = false;
        options.Environment["PATH"] = $"/nowhere:{first}:{second}:/bin";
        (await Sandbox.OutputOf(options)).Should().Be("second\n");
        folder.File("first/isolation-probe", "not executable"); // as execvp does: looked past
        (await Sandbox.OutputOf(options)).Should().Be("second\n");
        folder.Script("first/isolation-probe", "echo first");
        (await Sandbox.OutputOf(options)).Should().Be("first\n");
        options.Environment["PATH"] = "/bin:/usr/bin";
        FluentActions.Invoking(() => IsolatedProcess.Start(options)).Should().Throw<IsolationException>().Which.Errno.Should().Be(2);
    }

    [Fact(Timeout = 30_000)]
    public async Task A_name_is_looked_up_in_the_sandboxs_own_tree()
    {
        using var folder = new TemporaryFolder();
        folder.Script("isolation-probe", "echo found");
        var options = new IsolationOptions("isolation-probe");
        options.Environment["PATH"] = folder.Path + ":/bin";
        // The host has it, the sandbox has not: /tmp is private.
        var failure = FluentActions.Invoking(() => IsolatedProcess.Start(options)).Should().Throw<IsolationException>().Which;
        (failure.Errno, failure.Path).Should().Be((2, "isolation-probe"));
        failure.Hint.Should().Contain(folder.Path);
        options.Filesystem.PrivateTmp = false;
        (await Sandbox.OutputOf(options)).Should().Be("found\n");
    }

    [Fact(Timeout = 30_000)]
    public async Task The_hosts_path_and_directory_do_not_matter()
    {
        using var folder = new TemporaryFolder();
        folder.Script("sh", "echo wrong");
        // A program of that name is where the host would look first, were it asked.
        var options = new IsolationOptions("sh", "-c", "echo right");
        options.Filesystem.PrivateTmp = false;
        options.WorkingDirectory = folder.Path;
        (await Sandbox.OutputOf(options)).Should().Be("right\n");
        options.Environment["PATH"] = ":/bin";
        (await Sandbox.OutputOf(options)).Should().Be("wrong\n", "an empty entry is the current directory, as for a shell");
    }

    [Fact(Timeout = 30_000)]
    public async Task A_path_with_a_slash_counts_from_the_working_directory()
    {
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(Path.Combine(folder.Path, "sub"));
        folder.Script("sub/isolation-probe", "echo $0 $1; pwd");
        foreach (var path in (string[])["sub/isolation-probe", "./sub/isolation-probe", "sub/../sub/isolation-probe"])
        {
            var options = new IsolationOptions(path, "argument") { WorkingDirectory = folder.Path };
            options.Filesystem.PrivateTmp = false;
            (await Sandbox.OutputOf(options)).Should().Be($"{path} argument\n{folder.Path}\n");
        }
    }

    [Fact(Timeout = 30_000)]
    public async Task Files_made_inside_have_the_usual_mode()
    {
        Programs.Require("stat");
        (await Sandbox.OutputOf("umask; : > /tmp/file; mkdir /tmp/folder; stat -c %a /tmp/file /tmp/folder")).Should().Be("0022\n644\n755\n");
    }

    [Fact(Timeout = 30_000)]
    public async Task A_path_of_many_folders_is_searched_to_its_end()
    {
        var options = new IsolationOptions("true");
        options.Environment["PATH"] = string.Join(':', Enumerable.Range(0, 500)
            .Select(static n => $"/nowhere/{n}").Append("/bin").Append("/usr/bin"));
        (await IsolatedProcess.RunAsync(options, Token)).ExitCode.Should().Be(0);
    }

    [Fact(Timeout = 30_000)]
    public async Task A_big_environment_arrives()
    {
        var options = new IsolationOptions("/bin/sh", "-c", "env | wc -c; echo ${#BIG}");
        for (var i = 0; i < 1000; i++) options.Environment[$"VARIABLE_{i}"] = new string('v', 100);
        options.Environment["BIG"] = new string('x', 120_000);
        var lines = (await Sandbox.OutputOf(options)).Split('\n');
        int.Parse(lines[0], System.Globalization.CultureInfo.InvariantCulture).Should().BeGreaterThan(220_000);
        lines[1].Should().Be("120000");
    }

    [Theory(Timeout = 30_000)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_program_has_random_addresses_like_the_host(bool useInit)
    {
        // The stage goes without, see ExecutionPlanner; the program must not notice.
        var personality = Kernel.personality(Kernel.SamePersonality).ToString("x8", CultureInfo.InvariantCulture);
        (await Sandbox.OutputOf(new IsolationOptions("cat", "/proc/self/personality") { UseInit = useInit })).Should().Be(personality + "\n");
    }

    [Fact(Timeout = 30_000)]
    public async Task A_host_without_random_addresses_starts_programs_without()
    {
        var output = new TaskCompletionSource<string>();
        var thread = new Thread(() => // which the setting belongs to, and ends with
        {
            _ = Kernel.personality((uint)Kernel.personality(Kernel.SamePersonality) | Linux.ADDR_NO_RANDOMIZE);
            try
            {
                output.SetResult(IsolatedProcess.RunAndCaptureText(new IsolationOptions("cat", "/proc/self/personality")).StandardOutput);
            }
            catch (Exception e)
            {
                output.SetException(e);
            }
        });
        thread.Start();
        (await output.Task.WaitAsync(Token)).Should().Be("00040000\n");
    }
}
