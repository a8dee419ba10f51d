using Isolation.Delegates;

/// <summary>
/// What the runtime calls before Main when DOTNET_STARTUP_HOOKS names this assembly: the way into a process that is to run a method of the app and
/// nothing else. The name and the place are the runtime's (docs/design/features/host-startup-hook.md in dotnet/runtime).
/// </summary>
internal static class StartupHook
{
    public static void Initialize() => TaskServer.RunIfAsked();
}
