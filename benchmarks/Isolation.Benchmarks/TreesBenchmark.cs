namespace Isolation.Benchmarks;

/// <summary>
/// What a root of one's own costs: ours, raw C and other programs, interleaved in one run; and whether copy on write costs more
/// over a large folder than over a small one.
/// </summary>
internal static class TreesBenchmark
{
    internal static int Run(TreesSettings settings)
    {
        using var workspace = new Workspace(settings.WorkDirectory);
        if (workspace.Floor is not { } path || workspace.Tree.Length == 0)
        {
            // The program to be started inside such a root must be static, so there is nothing without a compiler.
            Console.Error.WriteLine($"This needs the programs in C. {workspace.Note}");
            return 1;
        }

        using var floor = new FloorProcess(path, workspace.Program, workspace.Tree);
        try
        {
            using var peers = new Peers(floor, workspace);
            var contests = Contests(settings, workspace, floor, peers);
            ContestRunner.Run(contests, settings.Iterations);
            ContestReport.Print(Console.Out, "What a root of its own costs", contests, settings.Iterations);
            if (settings.JsonFile is { } file) ContestReport.WriteJson(file, contests, settings.Iterations, json => json.WriteNumber("files", settings.Files));
            return 0;
        }
        catch (Exception e) when (e is IsolationException or InvalidOperationException or IOException or UnauthorizedAccessException)
        {
            Console.Error.WriteLine(e.Message);
            return 1;
        }
    }

    private static Contest[] Contests(TreesSettings settings, Workspace workspace, FloorProcess floor, Peers peers)
    {
        return
        [
            new("full-root", "a root of its own: 4 folders read-only, /proc, /dev, /tmp; pid, mount, uts, ipc, cgroup namespaces",
                [Ours(FullRoot(workspace, everything: false)), RawC('f'), .. settings.Peers ? peers.Few(new PeerJob("root", User: false, Network: false)) : []], settings.Iterations),
            new("full-root-everything", "the same with all that is there by default: also user and net namespaces, masks, /run",
                [Ours(FullRoot(workspace, everything: true)), RawC('g'), .. settings.Peers ? peers.Few(new PeerJob("everything", User: true, Network: true)) : []], settings.Iterations),
            new("copy-on-write", $"copy on write over a folder: a few files, and {settings.Files:N0}",
                [
                    Ours(CopyOnWrite(workspace, "large", settings.Files), "large", "large folder"),
                    Ours(CopyOnWrite(workspace, "small", 0), "small", "small folder") with { MostOfStart = 1.1 },
                ],
                settings.Iterations),
        ];

        Way RawC(char command) => new("floor", "raw C", () => floor.Measure(command), MostOfStart: 1.15);
    }

    private static Way Ours(IsolationOptions options, string key = "isolatedProcessStart", string title = "IsolatedProcess.Start") =>
        new(key, title, () => SpawnBenchmark.Second(() => SpawnBenchmark.StartIsolated(options)));

    private static IsolationOptions FullRoot(Workspace workspace, bool everything)
    {
        var options = new IsolationOptions(Workspace.ProgramInTree) { Security = { Seccomp = null } }; // as in C, and with bwrap
        var filesystem = options.Filesystem;
        filesystem.Root = Root.Empty();
        foreach (var folder in Workspace.TreeFolders) filesystem.Mounts.Add(new BindMount($"{workspace.Tree}/{folder}", "/" + folder));
        if (everything) return options;
        options.Namespaces = NoNetwork;
        filesystem.PrivateRun = filesystem.MaskKernelFiles = false;
        return options;
    }

    private static IsolationOptions CopyOnWrite(Workspace workspace, string name, int files)
    {
        var folder = Path.Combine(workspace.Folder!, name);
        Directory.CreateDirectory(folder + "/bin");
        File.Copy(workspace.Tree + Workspace.ProgramInTree, folder + Workspace.ProgramInTree);
        for (var i = 0; i < files; i++)
        {
            if (i % 500 == 0) Directory.CreateDirectory($"{folder}/d{i / 500}");
            File.WriteAllBytes($"{folder}/d{i / 500}/f{i}", []);
        }

        return new IsolationOptions(Workspace.ProgramInTree)
        {
            Namespaces = NoNetwork,
            Filesystem = { Root = Root.Directory(folder, RootAccess.CopyOnWrite), MaskKernelFiles = false },
        };
    }

    /// <summary>Only root may have the others without a user namespace.</summary>
    private static Namespaces NoNetwork => Namespaces.Pid | Namespaces.Mount | Namespaces.Uts | Namespaces.Ipc | Namespaces.Cgroup |
        (Environment.IsPrivilegedProcess ? Namespaces.None : Namespaces.User);
}
