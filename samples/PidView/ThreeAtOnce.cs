namespace Isolation.Samples;

/// <summary>Three sandboxes that live at the same time: none sees another, the host sees all.</summary>
internal static class ThreeAtOnce
{
    private const string Script = """
        start_sleep
        processes
        """;

    private static readonly string[] s_names = ["red", "green", "blue"];

    internal static async Task ShowAsync(Screen screen, CancellationToken cancellationToken)
    {
        screen.Heading("Three sandboxes at once. Each sees itself and nothing of the others:");
        var starts = s_names.Select(name => Witness.StartAsync(Script, options => options.HostName = name, cancellationToken)).ToList();
        var processes = new List<int>();
        try
        {
            var shells = await Task.WhenAll(starts);
            screen.Boxes([.. s_names.Zip(shells, (name, shell) => (name, (IReadOnlyList<string>)["PID  PROGRAM", .. shell.All("process").Select(Column)]))]);
            screen.Line();
            screen.Say("The host sees them all, under numbers of its own:");
            var rows = new List<string[]>();
            foreach (var (name, shell) in s_names.Zip(shells))
            {
                foreach (var (id, program) in HostView.Neighbours(shell.ProcessId))
                {
                    processes.Add(id);
                    rows.Add([name, HostView.Status(HostView.Text(id), "NSpid").Split(' ')[^1], HostView.Text(id), program]);
                }
            }

            screen.Table([14, 12, 13], ["sandbox", "PID inside", "PID outside", "program"], rows);
        }
        finally
        {
            foreach (var start in starts)
                if (start.IsCompletedSuccessfully) await start.Result.DisposeAsync();
        }

        screen.Line();
        var left = processes.Count(HostView.Exists);
        screen.Say($"Disposed: of these {processes.Count} processes the host sees {left} now.");
    }

    private static string Column(string process)
    {
        var space = process.IndexOf(' ', StringComparison.Ordinal);
        return process[..space].PadLeft(3) + "  " + process[(space + 1)..];
    }
}
