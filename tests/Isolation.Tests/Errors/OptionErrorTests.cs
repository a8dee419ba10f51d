using FluentAssertions;
using Microsoft.Win32.SafeHandles;
using Xunit;

namespace Isolation.Tests.Errors;

/// <summary>Options that cannot be meant: an ArgumentException that names the option, before anything has happened.</summary>
public class OptionErrorTests
{
    public static TheoryData<string, Action<IsolationOptions>> Contradictions => new()
    {
        { "FileName", o => o.FileName = "" },
        { "FileName", o => o.FileName = "tr\0ue" },
        { "Arguments", o => o.Arguments.Add("a\0b") },
        { "Arguments", o => o.Arguments.Add(null!) },
        { "Environment", o => o.Environment["A\0B"] = "" },
        { "Environment", o => o.Environment["A"] = "b\0c" },
        { "Environment", o => o.Environment["A=B"] = "c" },
        { "Environment", o => o.Environment[""] = "c" },
        { "WorkingDirectory", o => o.WorkingDirectory = "/t\0mp" },
        { "WorkingDirectory", o => o.WorkingDirectory = "tmp" },
        { "WorkingDirectory", o => o.WorkingDirectory = "" },
        { "FileName", o => o.FileName = "/bin/\ud800" },
        { "Arguments", o => o.Arguments.Add("\udc00\ud800") },
        { "Arguments", o => o.Arguments.Add("\U0001f600\ud83d") },
        { "Arguments", o => o.Arguments.Add("\ud83d\U0001f600") },
        { "Environment", o => o.Environment["A\ud800B"] = "" },
        { "Environment", o => o.Environment["A"] = "\udfff" },
        { "WorkingDirectory", o => o.WorkingDirectory = "/\udbff/tmp" },
        { "HostName", o => o.HostName = "\ud800" },
        { "HostName", o => o.HostName = "a\0b" },
        { "HostName", o => o.HostName = "" },
        { "HostName", o => o.HostName = new string('x', 65) },
        { "DomainName", o => o.DomainName = new string('ü', 33) },
        { "HostName", o => (o.HostName, o.Namespaces) = ("box", Namespaces.Default & ~Namespaces.Uts) },
        { "DomainName", o => (o.DomainName, o.Namespaces) = ("box", Namespaces.Default & ~Namespaces.Uts) },
        { "UseInit", o => (o.UseInit, o.Namespaces) = (true, Namespaces.Default & ~Namespaces.Pid) },
        { "Namespaces", o => o.Namespaces = (Namespaces)(1 << 20) },
        { "Time", o => o.Time.MonotonicOffset = TimeSpan.FromSeconds(1) },
        { "Time", o => o.Time.BootTimeOffset = TimeSpan.FromSeconds(-1) },
        { "User", o => o.User.UserId = uint.MaxValue },
        { "User", o => o.User.GroupId = uint.MaxValue },
        { "Filesystem", o => o.Filesystem.TmpSize = 0 },
        { "Filesystem", o => o.Filesystem.SharedMemorySize = -1 },
        { "Filesystem", o => o.Filesystem.Root = null! },
        { "StandardInput", o => o.StandardOutput = null! },
        { "InheritedHandles", o => o.InheritedHandles[2] = Open() },
        { "InheritedHandles", o => o.InheritedHandles[1024] = Open() },
        { "InheritedHandles", o => o.InheritedHandles[5] = new SafeFileHandle(-1, false) },
        { "InheritedHandles", o => o.InheritedHandles[5] = Closed() },
        { "InheritedHandles", o => { for (var i = 3; i < 20; i++) o.InheritedHandles[i] = Open(); } },
    };

    [Theory(DisableDiscoveryEnumeration = true)]
    [MemberData(nameof(Contradictions))]
    public async Task An_option_that_cannot_be_meant_is_refused(string option, Action<IsolationOptions> change)
    {
        var options = new IsolationOptions("true");
        change(options);
        ((Action)(() => IsolatedProcess.Start(options))).Should().Throw<ArgumentException>().WithMessage($"{option} *").Which.ParamName.Should().Be(option);
        ((Action)(() => IsolatedProcess.Run(options))).Should().Throw<ArgumentException>().Which.ParamName.Should().Be(option);
        ((Action)(() => options.Explain())).Should().Throw<ArgumentException>().Which.ParamName.Should().Be(option);
        var start = () => IsolatedProcess.StartAsync(options, TestContext.Current.CancellationToken);
        (await start.Should().ThrowAsync<ArgumentException>()).Which.ParamName.Should().Be(option);
    }

    [Fact]
    public void Streams_that_nobody_would_serve_are_refused()
    {
        var input = new IsolationOptions("true") { StandardInput = StandardStream.Pipe };
        var output = new IsolationOptions("true") { StandardOutput = StandardStream.Pipe };
        ((Action)(() => IsolatedProcess.Run(input))).Should().Throw<ArgumentException>().WithMessage("StandardInput*use Start*");
        ((Action)(() => IsolatedProcess.RunAndCaptureText(input))).Should().Throw<ArgumentException>().WithMessage("StandardInput*use Start*");
        ((Action)(() => IsolatedProcess.Run(output))).Should().Throw<ArgumentException>().WithMessage("*RunAndCaptureText*");
    }

    [Fact]
    public void Nothing_and_negative_times_are_refused()
    {
        ((Action)(() => IsolatedProcess.Start(null!))).Should().Throw<ArgumentNullException>();
        ((Action)(() => IsolatedProcess.Run(null!))).Should().Throw<ArgumentNullException>();
        ((Action)(() => IsolatedProcess.Run(new IsolationOptions("true"), TimeSpan.FromSeconds(-1)))).Should().Throw<ArgumentOutOfRangeException>();
        ((Action)(() => _ = new IsolationOptions(""))).Should().Throw<ArgumentException>();
        ((Action)(() => _ = new IsolationOptions("true", null!))).Should().Throw<ArgumentNullException>();
    }

    private static SafeFileHandle Open() => File.OpenHandle("/dev/null");

    private static SafeFileHandle Closed()
    {
        var handle = Open();
        handle.Dispose();
        return handle;
    }
}
