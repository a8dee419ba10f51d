using Isolation;
using Isolation.Images;
using Isolation.Samples;

if (args is ["--help"] or [])
{
    Console.WriteLine(RunArguments.Usage);
    return args.Length == 0 ? ExitCodes.OwnFailure : 0;
}

try
{
    var arguments = RunArguments.Parse(args);
    return await Container.RunAsync(arguments);
}
catch (UsageException e)
{
    Console.Error.WriteLine($"run: {e.Message}\nrun: 'dotnet run --project samples/Run -- --help' tells what is possible.");
    return ExitCodes.OwnFailure;
}
catch (IsolationException e)
{
    Console.Error.WriteLine($"run: {e.Message}");
    return ExitCodes.Of(e);
}
catch (Exception e) when (e is ImageException or IOException or UnauthorizedAccessException or ArgumentException or PlatformNotSupportedException)
{
    Console.Error.WriteLine($"run: {e.Message}");
    return ExitCodes.OwnFailure;
}
