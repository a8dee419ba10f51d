using Isolation.Samples;

const string usage = """
    Usage: NamespaceTour [--list] [NAME...]
      (nothing)  visits every kind of namespace
      NAME...    visits these: pid mount uts ipc network user cgroup time
      --list     says what there is to see
    """;

using var network = new NetworkStop();
Stop[] stops = [new PidStop(), new MountStop(), new UtsStop(), new IpcStop(), network, new UserStop(), new CgroupStop(), new TimeStop()];

switch (args)
{
    case ["--help" or "-h"]:
        Console.WriteLine(usage);
        return SampleRunner.Success;
    case ["--list"]:
        foreach (var stop in stops) Console.WriteLine($"{stop.Name,-8} {stop.Subject}");
        return SampleRunner.Success;
}

if (args.FirstOrDefault(name => !stops.Any(stop => stop.Name == name)) is { } unknown)
    return SampleRunner.Usage($"NamespaceTour has no stop '{unknown}'.", usage);

var chosen = args.Length == 0 ? stops : [.. args.Distinct().Select(name => stops.Single(stop => stop.Name == name))];
return await SampleRunner.RunAsync(async (screen, cancellationToken) =>
{
    screen.Say(chosen.Length == 1
        ? "Starting a sandbox with one kind of namespace, to see it from both sides."
        : "Starting a sandbox for each kind of namespace, to see it from both sides.");
    foreach (var stop in chosen)
    {
        screen.Line();
        await stop.VisitAsync(screen, cancellationToken);
        screen.Flush();
    }
});
