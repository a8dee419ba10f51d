using System.Text;
using FluentAssertions;
using Isolation.Interop;
using Xunit;

namespace Isolation.Tests.Errors;

/// <summary>Programs that cannot be executed: the exception says which step, call, errno, path, and what to do about it.</summary>
public sealed class ProgramErrorTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("isolation-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void A_name_that_no_folder_of_PATH_has() =>
        Expect(Failure("no-such-program"), Errno.ENOENT, "no-such-program", "*PATH*/usr/local/bin/no-such-program*, /bin/no-such-program*");

    [Fact]
    public void A_name_is_looked_up_along_the_PATH_of_the_sandbox()
    {
        var options = Options("sh");
        options.Environment["PATH"] = "/nowhere:/etc";
        Expect(Failure(options), Errno.ENOENT, "sh", "*/nowhere/sh, /etc/sh*");
    }

    [Fact]
    public void A_path_where_nothing_is() => Expect(Failure("/no/such/program"), Errno.ENOENT, "/no/such/program", "*no such file inside the sandbox*");

    [Fact]
    public void A_path_that_goes_through_a_file() => Expect(Failure("/etc/passwd/program"), Errno.ENOTDIR, "/etc/passwd/program", "*not a folder*");

    [Fact]
    public void A_file_that_is_not_executable() => Expect(Failure("/etc/passwd"), Errno.EACCES, "/etc/passwd", "*not executable*");

    [Fact]
    public void A_name_whose_file_on_the_path_is_not_executable()
    {
        var options = Options("passwd");
        options.Environment["PATH"] = "/nowhere:/nowhere/else:/etc";
        Expect(Failure(options), Errno.EACCES, "/etc/passwd", "*not executable*");
    }

    [Fact]
    public void A_folder() => Expect(Failure("/usr"), Errno.EACCES, "/usr", "*is a folder*");

    [Theory]
    [InlineData("hello")]
    [InlineData("")]
    public void A_file_that_is_no_program(string content)
    {
        var path = Executable(Encoding.UTF8.GetBytes(content));
        Expect(Failure(path), Errno.ENOEXEC, path, "*neither a program for this machine nor a script*");
    }

    [Fact]
    public void A_program_for_another_machine()
    {
        var bytes = File.ReadAllBytes("/bin/sh");
        bytes[18] = 0xf3; // e_machine = EM_RISCV
        bytes[19] = 0;
        var path = Executable(bytes);
        Expect(Failure(path), Errno.ENOEXEC, path, "*neither a program for this machine nor a script*");
    }

    [Fact]
    public void A_script_whose_interpreter_is_missing()
    {
        var path = Executable("#!/no/such/interpreter -x\necho hello\n"u8);
        Expect(Failure(path), Errno.ENOENT, path, "*its interpreter '/no/such/interpreter*does not exist*");
    }

    [Fact]
    public void A_script_that_was_written_on_Windows()
    {
        var path = Executable("#!/bin/sh\r\necho hello\r\n"u8);
        Expect(Failure(path), Errno.ENOENT, path, "*its interpreter '/bin/sh*carriage return*");
    }

    [Fact]
    public void A_program_whose_loader_is_missing()
    {
        var bytes = File.ReadAllBytes("/bin/sh");
        var loader = bytes.AsSpan().IndexOf("/ld-"u8);
        Assert.SkipUnless(loader > 0, "The machine's /bin/sh is static and names no loader.");
        "/no-"u8.CopyTo(bytes.AsSpan(loader));
        var path = Executable(bytes);
        Expect(Failure(path), Errno.ENOENT, path, "*dynamic loader*does not exist*");
    }

    [Fact]
    public void A_program_that_is_open_for_writing()
    {
        var path = Executable("#!/bin/sh\n"u8);
        using (File.OpenWrite(path)) Expect(Failure(path), Errno.ETXTBSY, path, "*open for writing*");
    }

    [Fact]
    public void Symbolic_links_in_a_circle()
    {
        var path = Path.Combine(_directory, "circle");
        File.CreateSymbolicLink(path, path);
        Expect(Failure(path), Errno.ELOOP, path, "*symbolic links*");
    }

    [Fact]
    public void A_path_that_is_too_long()
    {
        var path = "/" + new string('x', 300);
        Expect(Failure(path), Errno.ENAMETOOLONG, path, "*255*");
    }

    [Fact]
    public void An_argument_that_is_too_long() =>
        Expect(Failure(Options("/bin/sh", "-c", "true", new string('x', 200_000))), Errno.E2BIG, "/bin/sh", "*128 KiB*");

    [Fact]
    public void Arguments_that_are_too_long_together() =>
        Expect(Failure(Options("/bin/sh", ["-c", "true", .. Enumerable.Repeat(new string('x', 100_000), 100)])),
            Errno.E2BIG, "/bin/sh", "*quarter of the stack limit*");

    [Fact]
    public void An_environment_that_is_too_long()
    {
        var options = Options("/bin/sh", "-c", "true");
        options.Environment["LONG"] = new string('x', 200_000);
        Expect(Failure(options), Errno.E2BIG, "/bin/sh", "*128 KiB*");
    }

    [Theory]
    [InlineData(126)]
    [InlineData(127)]
    [InlineData(255)]
    public void An_exit_code_that_shells_use_for_this_is_the_programs_own(int code) =>
        IsolatedProcess.Run(Options("sh", "-c", $"exit {code}")).ExitCode.Should().Be(code);

    [Fact]
    public void A_failure_is_the_same_under_an_init()
    {
        var options = Options("/no/such/program");
        options.UseInit = true;
        Expect(Failure(options), Errno.ENOENT, "/no/such/program", "*no such file inside the sandbox*");
    }

    [Fact]
    public async Task A_failure_is_the_same_without_a_thread_waiting()
    {
        var start = () => IsolatedProcess.StartAsync(Options("/no/such/program"), TestContext.Current.CancellationToken);
        Expect((await start.Should().ThrowAsync<IsolationException>()).Which, Errno.ENOENT, "/no/such/program", "*no such file inside the sandbox*");
    }

    private static IsolationOptions Options(string program, params IEnumerable<string> arguments) => new(program, arguments)
    {
        Filesystem = { PrivateTmp = false }, // where the programs of these tests are
    };

    private static IsolationException Failure(string program) => Failure(Options(program));

    private static IsolationException Failure(IsolationOptions options)
    {
        var run = () => IsolatedProcess.Run(options, TimeSpan.FromSeconds(20));
        return run.Should().Throw<IsolationException>().Which;
    }

    private static void Expect(IsolationException failure, Errno errno, string path, string hint)
    {
        failure.Step.Should().Be("execute the program");
        failure.Syscall.Should().Be("execve");
        ((Errno)failure.Errno).Should().Be(errno);
        failure.Path.Should().Be(path);
        failure.Hint.Should().Match(hint);
        failure.Message.Should().Contain(errno.ToString()).And.Contain(path);
    }

    private string Executable(ReadOnlySpan<byte> content)
    {
        var path = Path.Combine(_directory, "program");
        using (var file = File.OpenHandle(path, FileMode.Create, FileAccess.Write)) RandomAccess.Write(file, content, 0);
        File.SetUnixFileMode(path, File.GetUnixFileMode(path) | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
        return path;
    }
}
