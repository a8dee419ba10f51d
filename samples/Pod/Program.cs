using Isolation.Samples;

const string usage = """
    Usage: Pod [--share-processes]
      (nothing)          a holder of namespaces, and two programs that share its network, IPC and host name
      --share-processes  that share its processes as well
    """;

switch (args)
{
    case []:
    case ["--share-processes"]:
        return await SampleRunner.RunAsync((screen, cancellationToken) => PodPicture.ShowAsync(screen, args.Length > 0, cancellationToken));
    case ["--help" or "-h"]:
        Console.WriteLine(usage);
        return SampleRunner.Success;
    default:
        return SampleRunner.Usage($"Pod does not know '{string.Join(' ', args)}'.", usage);
}
