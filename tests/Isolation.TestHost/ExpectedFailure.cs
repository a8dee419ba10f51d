using System.Globalization;

namespace Isolation.TestHost;

/// <summary>Starts what cannot be started here and prints the exception, one property a line.</summary>
internal static class ExpectedFailure
{
    internal static int Run(string[] arguments)
    {
        var options = new IsolationOptions("true");
        foreach (var argument in arguments)
        {
            if (Enum.TryParse<Namespaces>(argument, out var namespaces)) options.Namespaces = namespaces;
            else if (argument.StartsWith("uid=", StringComparison.Ordinal)) options.User.UserId = uint.Parse(argument.AsSpan(4), CultureInfo.InvariantCulture);
            else if (argument == "init") options.UseInit = true;
            else throw new ArgumentException($"What is '{argument}'?");
        }

        var before = "";
        for (var round = 0; ; round++)
        {
            try
            {
                var status = IsolatedProcess.Run(options);
                Console.Error.WriteLine($"It ran: {status}");
                return 1;
            }
            catch (IsolationException e)
            {
                // The first may leave what is made once for each process: the stage, the event loop.
                if (round == 0)
                {
                    _ = HostState.Take(); // as does this
                    before = HostState.Take();
                    continue;
                }

                HostState.ExpectSame(before, "the failed start");
                Console.WriteLine($"Step={e.Step}\nSyscall={e.Syscall}\nErrno={e.Errno}\nPath={e.Path}\nHint={e.Hint}");
                return 0;
            }
        }
    }
}
