using System.Collections;
using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace Isolation.Delegates;

/// <summary>How this app is started again, so that it runs the startup hook of this library and nothing else.</summary>
/// <param name="FileName">The dotnet host, or the app's own executable.</param>
/// <param name="Arguments">What the host needs to find the app.</param>
/// <param name="Folders">What of the host's tree that takes.</param>
/// <param name="DotnetRoot">Where the shared frameworks are, or null when the app has its own.</param>
internal sealed record AppCommand(string FileName, string[] Arguments, string[] Folders, string? DotnetRoot)
{
    private static readonly Lazy<AppCommand> s_current = new(Find, LazyThreadSafetyMode.PublicationOnly);

    internal static AppCommand Current => s_current.Value;

    /// <summary>The options by which it is started, and nothing of the app's Main runs.</summary>
    internal IsolationOptions CreateOptions()
    {
        var options = new IsolationOptions(FileName, Arguments);
        foreach (DictionaryEntry variable in Environment.GetEnvironmentVariables())
            if (variable.Key is string name && name.StartsWith("DOTNET_", StringComparison.Ordinal) && !IsForDebuggers(name)) options.Environment[name] = (string?)variable.Value;
        options.Environment["DOTNET_STARTUP_HOOKS"] = typeof(AppCommand).Assembly.GetName().Name;
        // Debuggers and profilers find nothing of it anyway: their sockets are in a /tmp of its own.
        options.Environment.TryAdd("DOTNET_EnableDiagnostics", "0");
        if (DotnetRoot is not null) options.Environment["DOTNET_ROOT"] = DotnetRoot;
        return options;
    }

    /// <summary>The app itself, where the sandbox has another root or folders of its own in its place.</summary>
    internal void BindFolders(IsolationOptions options)
    {
        var filesystem = options.Filesystem;
        if ((options.Namespaces & Namespaces.Mount) == 0) return;
        foreach (var folder in Folders)
        {
            var isHidden = !filesystem.Root.IsHost
                || filesystem.PrivateTmp && (IsBelow(folder, "/tmp") || IsBelow(folder, "/var/tmp"))
                || filesystem.PrivateRun && (IsBelow(folder, "/run") || IsBelow(folder, "/var/run"));
            if (isHidden && !filesystem.Mounts.Any(mount => mount.Target == folder)) filesystem.Mounts.Add(new BindMount(folder));
        }
    }

    private static bool IsBelow(string folder, string top) => folder == top || folder.StartsWith(top + "/", StringComparison.Ordinal);

    private static bool IsForDebuggers(string name) => name.Contains("STARTUP_HOOKS", StringComparison.OrdinalIgnoreCase) || name.Contains("DiagnosticPorts", StringComparison.OrdinalIgnoreCase);

    [UnconditionalSuppressMessage("SingleFile", "IL3000", Justification = "That it is empty is what is asked.")]
    private static AppCommand Find()
    {
        if (!RuntimeFeature.IsDynamicCodeSupported)
            throw new PlatformNotSupportedException("This app is compiled ahead of time (native AOT): it has no runtime that could be told to run a method instead of Main. Publish it without PublishAot.");
        if (AppContext.TryGetSwitch("System.StartupHookProvider.IsSupported", out var isSupported) && !isSupported)
            throw new InvalidOperationException("This app is published without support for startup hooks, by which a method is run instead of Main. Set <StartupHookSupport>true</StartupHookSupport> in its project.");
        if (Assembly.GetEntryAssembly() is not { } entry)
            throw new InvalidOperationException("This process has no entry assembly: it is another program that hosts .NET, and cannot be started again to run a method.");
        var executable = new FileInfo("/proc/self/exe").LinkTarget ?? Environment.ProcessPath
            ?? throw new InvalidOperationException("The path of this app's executable cannot be found out.");
        var runtime = RuntimeEnvironment.GetRuntimeDirectory().TrimEnd('/');
        var app = AppContext.BaseDirectory.TrimEnd('/');
        var own = Path.GetDirectoryName(executable)!;
        // The shared framework lies three folders below its root.
        var root = IsBelow(runtime, app) || entry.Location.Length == 0 && !runtime.Contains("/shared/", StringComparison.Ordinal) ? null : Path.GetFullPath(Path.Combine(runtime, "../../.."));
        string[] arguments = [];
        if (Path.GetFileName(executable) == "dotnet" && entry.Location.Length > 0) arguments = [.. HostArguments(entry.Location), entry.Location];
        string[] folders = [.. new[] { own, app, root }.OfType<string>().Distinct().Where(static folder => folder.Length > 1)];
        return new AppCommand(executable, arguments, folders, root);
    }

    /// <summary>What came before the app's path on the command line of the dotnet host: "exec", "--runtimeconfig FILE", "--depsfile FILE" …</summary>
    private static string[] HostArguments(string entry)
    {
        var line = Encoding.UTF8.GetString(File.ReadAllBytes("/proc/self/cmdline")).TrimEnd('\0').Split('\0');
        for (var i = 1; i < line.Length; i++)
            if (Path.GetFileName(line[i]) == Path.GetFileName(entry))
                return [.. line[1..i].Select(static part => part.Length > 0 && part[0] != '-' && File.Exists(part) ? Path.GetFullPath(part) : part)];
        return ["exec"];
    }
}
