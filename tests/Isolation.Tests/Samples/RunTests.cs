using System.Diagnostics;
using FluentAssertions;
using Isolation.Tests.Samples;
using Isolation.Tests.Support;
using Xunit;

namespace Isolation.Tests;

/// <summary><c>docker run</c> without Docker: the sample, with an image that others have packed.</summary>
public sealed class RunTests : IAsyncLifetime, IDisposable
{
    private readonly TemporaryFolder _data = new();
    private BusyboxImage _image = null!;

    public async ValueTask InitializeAsync() => _image = await BusyboxImage.MakeAsync();

    public ValueTask DisposeAsync()
    {
        Dispose();
        return ValueTask.CompletedTask;
    }

    public void Dispose()
    {
        _image?.Dispose();
        foreach (var work in Directory.Exists(_data.Path + "/isolation/containers") ? Directory.GetDirectories(_data.Path + "/isolation/containers") : [])
            if (Directory.Exists(work + "/work/work")) File.SetUnixFileMode(work + "/work/work", (UnixFileMode)0b111_000_000);
        _data.Dispose();
    }

    [Fact(Timeout = 60_000)]
    public async Task The_program_is_process_1_and_sees_nobody_else()
    {
        var result = await Run("--rm", _image.DockerArchive, "ps");
        result.Error.Should().BeEmpty();
        result.ExitCode.Should().Be(0);
        var lines = result.Output.TrimEnd().Split('\n');
        lines.Should().HaveCount(2);
        lines[1].Split(' ', StringSplitOptions.RemoveEmptyEntries).Should().StartWith(["1", "root"]).And.EndWith("ps");
    }

    [Fact(Timeout = 60_000)]
    public async Task An_archive_a_layout_and_a_folder_are_images()
    {
        foreach (var image in (string[])[_image.DockerArchive, _image.Layout, _image.Tree])
        {
            var result = await Run("--rm", image, "/bin/ls", "/etc/passwd");
            (result.ExitCode, result.Output, result.Error).Should().Be((0, "/etc/passwd\n", ""), image);
        }
    }

    [Fact(Timeout = 60_000)]
    public async Task Options_mean_what_they_mean_to_Docker()
    {
        using var shared = new TemporaryFolder();
        shared.File("file", "shared\n");
        Environment.SetEnvironmentVariable("ISOLATION_RUN_TEST", "of the host");
        var result = await Run("--rm", "-e", "A=1", "-eB=2", "--env=ISOLATION_RUN_TEST", "-w", "/made/for/this", "--hostname", "box",
            "-v", shared.Path + ":/ro:ro", "-v", shared.Path + ":/rw", _image.Layout, "sh", "-c",
            "pwd; hostname; cat /etc/hostname; echo $A $B $FROM $ISOLATION_RUN_TEST; cat /ro/file; touch /ro/x 2>/dev/null || echo refused; echo new > /rw/new; exit 7");
        (result.ExitCode, result.Output, result.Error).Should().Be((7, "/made/for/this\nbox\nbox\n1 2 image of the host\nshared\nrefused\n", ""));
        File.ReadAllText(shared.Path + "/new").Should().Be("new\n");
    }

    [Fact(Timeout = 60_000)]
    public async Task The_program_is_whom_the_image_or_the_command_line_says()
    {
        (await Run("--rm", "-u", "app", _image.Layout, "sh", "-c", "id -u; echo $HOME")).Output.Should().Be("1000\n/home/app\n");
        (await Run("--rm", "--user=7:8", _image.Tree, "sh", "-c", "id -u; id -g")).Output.Should().Be("7\n8\n");
        var nobody = await Run("--rm", "-unobody", _image.Layout, "true");
        (nobody.ExitCode, nobody.Error).Should().Match<(int Code, string Error)>(result => result.Code == 125 && result.Error.Contains("'nobody'"));
    }

    [Fact(Timeout = 60_000)]
    public async Task Standard_input_is_connected_when_asked_for()
    {
        var result = await SampleProcess.RunAsync("Run", ["-i", "--rm", _image.Layout, "cat"], "typed\n", Store());
        (result.ExitCode, result.Output).Should().Be((0, "typed\n"));
        result = await SampleProcess.RunAsync("Run", ["--rm", _image.Layout, "cat"], "typed\n", Store());
        (result.ExitCode, result.Output).Should().Be((0, ""));
    }

    [Fact(Timeout = 60_000)]
    public async Task Read_only_means_everything()
    {
        var result = await Run("--read-only", _image.Layout, "sh", "-c", "touch /x || touch /tmp/x || touch /etc/x || echo refused");
        (result.ExitCode, result.Output).Should().Be((0, "refused\n"));
    }

    [Fact(Timeout = 60_000)]
    public async Task Changes_are_kept_unless_they_are_to_be_thrown_away()
    {
        (await Run(_image.Layout, "touch", "/kept")).ExitCode.Should().Be(0);
        (await Run("--rm", _image.Layout, "touch", "/gone")).ExitCode.Should().Be(0);
        var containers = Directory.GetDirectories(_data.Path + "/isolation/containers");
        containers.Should().ContainSingle();
        File.Exists(containers[0] + "/upper/kept").Should().BeTrue();
        (await Run("--rm", _image.Layout, "ls", "/")).Output.Should().NotContain("kept").And.NotContain("gone");
    }

    [Fact(Timeout = 60_000)]
    public async Task Exit_codes_are_Dockers()
    {
        (await Run("--rm", _image.Layout, "no-such-program")).ExitCode.Should().Be(127);
        (await Run("--rm", _image.Layout, "/etc/passwd")).ExitCode.Should().Be(126);
        (await Run("--rm", _image.Layout, "sh", "-c", "kill -9 $$; sleep 1; exit 3")).ExitCode.Should().Be(3, "process 1 is safe from itself");
        (await Run("--rm", "/no/such/image")).ExitCode.Should().Be(125);
        (await Run("--no-such-option", _image.Layout)).ExitCode.Should().Be(125);
        (await Run()).ExitCode.Should().Be(125);
        (await Run("--help")).ExitCode.Should().Be(0);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_signal_to_the_host_app_reaches_the_program()
    {
        string[] wrapper = Store();
        var start = new ProcessStartInfo(wrapper[0],
            [.. wrapper[1..], Path.Combine(AppContext.BaseDirectory, "Run"), "--rm", _image.Layout, "sh", "-c", "trap 'echo got; exit 9' TERM; echo ready; while :; do sleep 0.1; done"])
        {
            RedirectStandardOutput = true,
        };
        start.Environment["DOTNET_ROOT"] = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(typeof(object).Assembly.Location)!, "../../.."));
        using var process = Process.Start(start)!;
        (await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken)).Should().Be("ready");
        using var kill = Process.Start("kill", ["-TERM", process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
        (await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken)).Should().Be("got");
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        process.ExitCode.Should().Be(9);
    }

    private Task<SampleResult> Run(params string[] arguments) => SampleProcess.RunAsync("Run", arguments, "", Store());

    /// <summary>A store of the test's own, beside which the changes are kept.</summary>
    private string[] Store() => ["env", "ISOLATION_STORE=" + _data.Path + "/isolation/images"];
}
