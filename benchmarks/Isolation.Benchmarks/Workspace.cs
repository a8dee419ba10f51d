using System.Reflection;

namespace Isolation.Benchmarks;

/// <summary>
/// A folder with the C programs, built on the spot. Outside of what a sandbox has for itself, so that the program is where
/// it was inside a sandbox, too.
/// </summary>
internal sealed class Workspace : IDisposable
{
    private static readonly string[] s_hidden = ["/tmp/", "/var/tmp/", "/run/", "/var/run/", "/dev/", "/proc/"];

    private readonly string? _directory;

    internal Workspace(string? preferred, string? program = null)
    {
        Program = program ?? "/bin/true";
        _directory = MakeDirectory(preferred);
        if (_directory is null)
        {
            Note = "No writable folder outside of /tmp, /var/tmp, /run and /dev (see --work)";
            return;
        }

        var compiler = FindCompiler();
        if (compiler is null)
        {
            Note = "no C compiler";
            return;
        }

        var exit = Build(compiler, "exit", "-static", "-nostdlib");
        if (exit is not null) MakeTree(exit);
        if (program is null) Program = exit ?? Program;
        Floor = Build(compiler, "floor");
        Waiter = Build(compiler, "wait", "-static", "-nostdlib");
        Syscalls = Build(compiler, "syscalls");
        Terminal = Build(compiler, "terminal");
        if (Floor is null) Note = $"{Path.GetFileName(compiler)} could not build it";
    }

    /// <summary>What is started: the one asked for, else a static program that ends at once, or where it cannot be built /bin/true.</summary>
    internal string Program { get; }

    /// <summary>What a root of one's own is made of: folders, one of which holds the static program.</summary>
    internal static readonly string[] TreeFolders = ["bin", "etc", "lib", "data"];

    /// <summary>The static program, seen from inside such a root.</summary>
    internal const string ProgramInTree = "/bin/exit";

    /// <summary>The folder that holds <see cref="TreeFolders"/>, or "" where the static program could not be built.</summary>
    internal string Tree { get; private set; } = "";

    /// <summary>Made by whoever needs another folder; gone with this one. Null where there is none.</summary>
    internal string? Folder => _directory;

    /// <summary>The floor's program, or null.</summary>
    internal string? Floor { get; }

    /// <summary>A static program that never ends, or null.</summary>
    internal string? Waiter { get; }

    /// <summary>The program that measures syscalls, or null.</summary>
    internal string? Syscalls { get; }

    /// <summary>The program that writes to terminals and pipes and reads them, or null.</summary>
    internal string? Terminal { get; }

    /// <summary>Why there is no floor.</summary>
    internal string Note { get; } = "";

    private static string ApplicationData =>
        Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.Create);

    public void Dispose()
    {
        if (_directory is not null) Directory.Delete(_directory, recursive: true);
    }

    private static string? MakeDirectory(string? preferred)
    {
        string[] candidates = preferred is not null
            ? [preferred]
            : [ApplicationData, AppContext.BaseDirectory];
        foreach (var candidate in candidates)
        {
            if (candidate.Length == 0) continue;
            var path = Path.GetFullPath(candidate);
            if (s_hidden.Any(hidden => (path + "/").StartsWith(hidden, StringComparison.Ordinal))) continue;
            try
            {
                var directory = Path.Combine(path, $"isolation-benchmarks-{Environment.ProcessId}");
                Directory.CreateDirectory(directory);
                return directory;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // the next one
            }
        }

        return null;
    }

    private static string? FindCompiler() => Find("cc", "gcc", "clang");

    /// <summary>The first of these programs that is on the PATH, or null.</summary>
    internal static string? Find(params string[] names) =>
        (from name in names
         from directory in (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries)
         let path = Path.Combine(directory, name)
         where File.Exists(path)
         select path).FirstOrDefault();

    private void MakeTree(string program)
    {
        Tree = Path.Combine(_directory!, "tree");
        foreach (var folder in TreeFolders) Directory.CreateDirectory(Path.Combine(Tree, folder));
        File.Copy(program, Tree + ProgramInTree);
    }

    /// <summary>A source or a script that comes with this program, as a file.</summary>
    internal string Extract(string name)
    {
        var path = Path.Combine(_directory!, name);
        using var resource = Assembly.GetExecutingAssembly().GetManifestResourceStream(name)!;
        using var file = File.Create(path);
        resource.CopyTo(file);
        return path;
    }

    private string? Build(string compiler, string name, params ReadOnlySpan<string> flags)
    {
        var source = Extract(name + ".c");
        var target = Path.Combine(_directory!, name);
        try
        {
            return Helper.Run(compiler, ["-O2", .. flags, "-o", target, source]) == 0 ? target : null;
        }
        catch (IsolationException)
        {
            return null;
        }
    }
}
