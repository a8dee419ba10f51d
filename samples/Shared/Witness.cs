namespace Isolation.Samples;

/// <summary>
/// A shell in a sandbox that has told what it sees from there, and stays alive to be looked at from outside until it is
/// disposed. Its script tells things as lines such as <c>user=0</c>.
/// </summary>
internal sealed class Witness : IAsyncDisposable
{
    /// <summary>Functions for scripts. They read /proc, since that always answers for the process that asks.</summary>
    private const string Functions = """
        processes() {
            for p in /proc/[0-9]*; do
                read -r name < $p/comm && echo "process=${p#/proc/} $name"
            done
        }
        # Starts a second process, and waits until it has become the program it is meant to be.
        start_sleep() {
            sleep 600 &
            while [ -e /proc/$!/exe ] && read -r name < /proc/$!/comm && [ "$name" != sleep ]; do :; done
        }

        """;

    private const string End = """

        echo .
        read -r _
        """;

    private readonly IsolatedProcess _process;
    private readonly List<(string Name, string Value)> _facts = [];

    private Witness(IsolatedProcess process) => _process = process;

    /// <summary>The shell's process id, as the host sees it.</summary>
    internal int ProcessId => _process.ProcessId;

    /// <summary>The value told under a name, or a dash.</summary>
    internal string this[string name] => _facts.Find(fact => fact.Name == name).Value ?? "-";

    /// <summary>Every value told under a name.</summary>
    internal IReadOnlyList<string> All(string name) => [.. from fact in _facts where fact.Name == name select fact.Value];

    internal static async Task<Witness> StartAsync(string script, Action<IsolationOptions> configure, CancellationToken cancellationToken)
    {
        var options = new IsolationOptions("sh", "-c", Functions + script + End)
        {
            StandardInput = StandardStream.Pipe,
            StandardOutput = StandardStream.Pipe,
        };
        configure(options);
        var witness = new Witness(await IsolatedProcess.StartAsync(options, cancellationToken));
        try
        {
            await witness.ListenAsync(cancellationToken);
            return witness;
        }
        catch
        {
            await witness.DisposeAsync();
            throw;
        }
    }

    public ValueTask DisposeAsync() => _process.DisposeAsync();

    private async Task ListenAsync(CancellationToken cancellationToken)
    {
        using var reader = new StreamReader(_process.StandardOutput, leaveOpen: true);
        while (await reader.ReadLineAsync(cancellationToken) is { } line)
        {
            if (line == ".") return;
            var equals = line.IndexOf('=');
            if (equals > 0) _facts.Add((line[..equals], line[(equals + 1)..]));
        }

        throw new InvalidOperationException($"The shell in the sandbox ended early: {await _process.WaitForExitAsync(cancellationToken)}.");
    }
}
