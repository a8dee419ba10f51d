// Does a bit of everything with the library after trimming or compilation ahead of time. Ends with 0 and "ok", or says what is wrong.
using System.Runtime.InteropServices;
using System.Text;
using Isolation;

var text = IsolatedProcess.RunAndCaptureText(new IsolationOptions("sh", "-c", "echo $$; hostname; echo oops >&2; exit 3") { HostName = "aot" });
Expect("1\naot\n", text.StandardOutput);
Expect("oops\n", text.StandardError);
Expect(3, text.ExitStatus.ExitCode);

var piped = new IsolationOptions("cat") { StandardInput = StandardStream.Pipe, StandardOutput = StandardStream.Pipe, UseInit = true };
await using (var cat = await IsolatedProcess.StartAsync(piped))
{
    await cat.StandardInput.WriteAsync("through the pipe"u8.ToArray());
    await cat.StandardInput.DisposeAsync();
    using var reader = new StreamReader(cat.StandardOutput, Encoding.UTF8);
    Expect("through the pipe", await reader.ReadToEndAsync());
    Expect(0, (await cat.WaitForExitAsync()).ExitCode);
}

using (var sleeper = IsolatedProcess.Start(new IsolationOptions("sleep", "1000")))
{
    sleeper.Kill();
    Expect((PosixSignal)9, sleeper.WaitForExit().Signal!.Value);
}

var lines = new List<string>();
var printing = new IsolationOptions("printf", "a\\nb\\n") { StandardOutput = StandardStream.Pipe, StandardError = StandardStream.Pipe };
await using (var printer = IsolatedProcess.Start(printing))
    await foreach (var line in printer.ReadAllLinesAsync())
        lines.Add(line.ToString());
Expect(2, lines.Count);

try
{
    IsolatedProcess.Run(new IsolationOptions("/no/such/program"));
    Expect("an exception", "none");
}
catch (IsolationException e)
{
    Expect(2, e.Errno);
    Expect("execve", e.Syscall ?? "no syscall");
    Expect(true, e.Message.Contains("ENOENT", StringComparison.Ordinal));
}

Expect(true, new IsolationOptions("true").Explain().Contains("execve", StringComparison.Ordinal));

CostCheck.Run();
await ImageCheck.RunAsync();
await TaskCheck.RunAsync();

Console.WriteLine("ok");
return 0;

static void Expect<T>(T expected, T actual) => Expectation.Check(expected, actual);
