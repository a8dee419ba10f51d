using Isolation.Samples;

const string usage = """
    Usage: PidView [--shell]
      (nothing)  shows a sandbox from inside and from the host, then three that do not see each other
      --shell    opens an interactive shell in a sandbox
    """;

switch (args)
{
    case []:
        return await SampleRunner.RunAsync(async (screen, cancellationToken) =>
        {
            await TwoViews.ShowAsync(screen, cancellationToken);
            await ThreeAtOnce.ShowAsync(screen, cancellationToken);
        });
    case ["--shell"]:
        return await SampleRunner.RunAsync((screen, _) => InteractiveShell.RunAsync(screen));
    case ["--help" or "-h"]:
        Console.WriteLine(usage);
        return SampleRunner.Success;
    default:
        return SampleRunner.Usage($"PidView does not know '{string.Join(' ', args)}'.", usage);
}
