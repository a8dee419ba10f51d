using Isolation.TestHost;

// Isolation.TestHost [SETTING…] SCENARIO [ARGUMENT…]
// A host app that tests start as a process of its own: settings make it a hostile one, then it runs a scenario. The exit
// code is 0 when all went as it should; otherwise standard error says what did not.
try
{
    var rest = args.AsSpan();
    while (HostSettings.Apply(rest, out var used)) rest = rest[used..];
    string[] arguments = rest.Length > 0 ? [.. rest[1..]] : [];
    return (rest.Length > 0 ? rest[0] : "") switch
    {
        "basics" => Basics.Run(arguments),
        "mixed" => BesideProcess.Run(arguments),
        "pressure" => CollectorPressure.Run(arguments),
        "big-heap" => BigHeap.Run(arguments),
        "few-descriptors" => FewDescriptors.Run(arguments),
        "fail" => ExpectedFailure.Run(arguments),
        "parent" => Parent.Run(arguments),
        "detach" => Detach.Run(arguments),
        "task" => OwnMethod.Run(),
        "thread-end" => ThreadEnd.Run(),
        "guard" => GuardLoss.Run(arguments),
        "listed" => Listed.Run(),
        "faults" => FaultInjection.Run(arguments),
        "join-files" => JoinFiles.Run(arguments),
        "subordinate" => SubordinateHelper.Run(arguments),
        "leaks" => Leaks.Run(arguments),
        "keyring" => Keyring.Run(arguments),
        "landlock" => Landlock.Run(arguments),
        "ordinary" => OrdinaryApp.Run(),
        "traced" => Traced.Run(),
        "live" => LiveSandboxes.Run(arguments),
        "attached" => Attached.Run(arguments),
        "terminals" => ManyTerminals.Run(arguments),
        "import" => Images.Import(arguments),
        "remove" => Images.Remove(arguments),
        var other => throw new ArgumentException($"No such scenario: '{other}'."),
    };
}
catch (Exception e)
{
    Console.Error.WriteLine(e);
    return 1;
}
