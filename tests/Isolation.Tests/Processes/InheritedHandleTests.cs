using System.Runtime.InteropServices;
using FluentAssertions;
using Isolation.Tests.Support;
using Microsoft.Win32.SafeHandles;
using Xunit;

namespace Isolation.Tests;

public sealed partial class InheritedHandleTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly List<SafeFileHandle> _handles = [];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact(Timeout = 30_000)]
    public async Task Handles_have_the_numbers_asked_for()
    {
        var options = Sandbox.Shell("cat <&3; cat <&5; cat <&7; cat <&9");
        foreach (var number in (int[])[9, 3, 7, 5]) options.InheritedHandles[number] = Open($"file {number}\n");
        (await Sandbox.OutputOf(options)).Should().Be("file 3\nfile 5\nfile 7\nfile 9\n");
    }

    [Fact(Timeout = 30_000)]
    public async Task Nothing_else_is_open()
    {
        var options = Sandbox.Shell(":");
        foreach (var number in (int[])[3, 6, 1023]) options.InheritedHandles[number] = Open("");
        await using var process = await Sandbox.Waiting(options);
        HostView.Descriptors(process.ProcessId).Keys.Should().Equal(0, 1, 2, 3, 6, 1023);
    }

    [Fact(Timeout = 30_000)]
    public async Task A_program_without_handles_has_the_standard_streams_only()
    {
        await using var process = await Sandbox.Waiting();
        HostView.Descriptors(process.ProcessId).Keys.Should().Equal(0, 1, 2);
    }

    [Fact(Timeout = 30_000)]
    public async Task Numbers_may_cross_those_of_the_host()
    {
        // Each handle is to have the number that the next one has in the host, the last one that of the first.
        var handles = Enumerable.Range(0, 5).Select(n => Open($"file {n}\n")).ToList();
        var numbers = handles.Select(Number).ToList();
        Assert.SkipUnless(numbers.All(static number => number is > 2 and < 1024),
            "The host has so many descriptors open that the numbers are out of range.");
        var options = Sandbox.Shell(":");
        for (var i = 0; i < handles.Count; i++) options.InheritedHandles[numbers[(i + 1) % handles.Count]] = handles[i];
        await using var process = await Sandbox.Waiting(options);
        var inside = HostView.Descriptors(process.ProcessId);
        inside.Keys.Should().Equal(numbers.Concat([0, 1, 2]).Order());
        for (var i = 0; i < handles.Count; i++) inside[numbers[(i + 1) % handles.Count]].Should().Be(Path.Combine(_folder.Path, $"{i}"));
    }

    [Fact(Timeout = 30_000)]
    public async Task A_handle_may_have_the_number_it_has_in_the_host_and_others_too()
    {
        var handle = Open("text");
        Assert.SkipUnless(Number(handle) is > 2 and < 1000, "The host has so many descriptors open that the numbers are out of range.");
        var options = Sandbox.Shell(":");
        foreach (var number in (int[])[Number(handle), Number(handle) + 1, Number(handle) + 10]) options.InheritedHandles[number] = handle;
        options.StandardError = StandardStream.FromHandle(handle);
        await using var process = await Sandbox.Waiting(options);
        var inside = HostView.Descriptors(process.ProcessId);
        inside.Keys.Should().Equal(0, 1, 2, Number(handle), Number(handle) + 1, Number(handle) + 10);
        inside.Where(static entry => entry.Key >= 2).Select(static entry => entry.Value).Should().AllBe(Path.Combine(_folder.Path, "0"));
    }

    [Fact(Timeout = 30_000)]
    public async Task The_hosts_standard_streams_can_be_inherited_under_other_numbers()
    {
        using var input = new SafeFileHandle(0, ownsHandle: false);
        using var output = new SafeFileHandle(1, ownsHandle: false);
        var options = new IsolationOptions("sleep", "1000");
        options.InheritedHandles[4] = output;
        options.InheritedHandles[3] = input;
        await using var process = await IsolatedProcess.StartAsync(options, Token);
        var host = HostView.Descriptors(Environment.ProcessId);
        await process.HasOpen((0, host[0]), (1, host[1]), (2, host[2]), (3, host[0]), (4, host[1]));
    }

    [Fact(Timeout = 30_000)]
    public async Task Sixteen_handles_are_possible()
    {
        var options = Sandbox.Shell("for n in 3 4 5 6 7 8 9; do eval \"cat <&$n\"; done");
        for (var number = 3; number < 19; number++) options.InheritedHandles[number] = Open($"{number} ");
        (await Sandbox.OutputOf(options)).Should().Be("3 4 5 6 7 8 9 ");
        options.InheritedHandles[19] = Open("");
        FluentActions.Invoking(() => IsolatedProcess.Start(options)).Should().Throw<ArgumentException>();
    }

    [Fact(Timeout = 30_000)]
    public async Task Descriptors_that_the_host_would_leak_stay_outside()
    {
        var leaky = new List<int>();
        try
        {
            // dup(2) gives a copy that stays open across exec.
            for (var i = 0; i < 200; i++) leaky.Add(dup(Number(Open(""))));
            leaky.Should().OnlyContain(static fd => fd > 2);
            var options = Sandbox.Shell(":");
            options.InheritedHandles[3] = Open("");
            options.InheritedHandles[leaky[50] % 1000 + 4] = Open("");
            foreach (var useInit in (bool[])[false, true])
            {
                options.UseInit = useInit;
                options.Arguments[1] = ":";
                await using var process = await Sandbox.Waiting(options);
                var program = HostView.ProcessesIn(HostView.Namespace(process.ProcessId, "pid")).Max();
                HostView.Descriptors(program).Keys.Should().Equal(0, 1, 2, 3, leaky[50] % 1000 + 4);
            }
        }
        finally
        {
            foreach (var fd in leaky) _ = close(fd);
        }
    }

    [Fact(Timeout = 30_000)]
    public async Task Descriptors_that_the_host_opens_and_closes_during_a_start_stay_outside()
    {
        // A blocking start begins in the host's own table of descriptors, which others change meanwhile.
        var source = Number(Open(""));
        using var done = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var others = Task.Run(() =>
        {
            for (var i = 0; !done.IsCancellationRequested; i++)
            {
                var copies = Enumerable.Range(0, i % 100).Select(_ => dup(source)).ToArray();
                foreach (var copy in copies) _ = close(copy);
            }
        }, Token);
        var options = new IsolationOptions("ls", "/proc/self/fd") { StandardInput = StandardStream.Null };
        options.InheritedHandles[7] = Open("");
        for (var i = 0; i < 30; i++)
        {
            var output = await Task.Run(() => IsolatedProcess.RunAndCaptureText(options), Token);
            output.StandardOutput.Should().Be("0\n1\n2\n3\n7\n", "3 is the folder that ls reads");
        }

        await done.CancelAsync();
        await others;
    }

    [Fact(Timeout = 30_000)]
    public async Task Handles_stay_the_callers()
    {
        var handle = Open("text");
        var options = Sandbox.Shell("cat <&3");
        options.InheritedHandles[3] = handle;
        (await Sandbox.OutputOf(options)).Should().Be("text");
        handle.IsClosed.Should().BeFalse();
        RandomAccess.Read(handle, new byte[4], 0).Should().Be(4);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    [InlineData(-1)]
    [InlineData(1024)]
    public void Other_numbers_are_refused(int number)
    {
        var options = new IsolationOptions("true");
        options.InheritedHandles[number] = Open("");
        FluentActions.Invoking(() => IsolatedProcess.Run(options)).Should().Throw<ArgumentException>().WithMessage("InheritedHandles*");
    }

    public void Dispose()
    {
        foreach (var handle in _handles) handle.Dispose();
        _folder.Dispose();
    }

    private SafeFileHandle Open(string content)
    {
        var handle = File.OpenHandle(_folder.File(_handles.Count.ToString(System.Globalization.CultureInfo.InvariantCulture), content));
        _handles.Add(handle);
        return handle;
    }

    private static int Number(SafeHandle handle) => (int)handle.DangerousGetHandle();

    [LibraryImport("libc")]
    private static partial int dup(int fd);

    [LibraryImport("libc")]
    private static partial int close(int fd);
}
