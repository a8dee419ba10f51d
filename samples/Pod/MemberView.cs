namespace Isolation.Samples;

/// <summary>What a program of the pod sees from where it is.</summary>
/// <param name="ProcessId">Its own number.</param>
/// <param name="HostName">Of the pod.</param>
/// <param name="Processes">All that it can see, as number and name.</param>
/// <param name="HasLog">In its /tmp is the file that the web server has written to its own.</param>
/// <param name="Namespaces">The numbers of its namespaces, by their names in /proc/self/ns.</param>
/// <param name="Heard">What the other program said.</param>
internal sealed record MemberView(int ProcessId, string HostName, string[] Processes, bool HasLog, Dictionary<string, string> Namespaces, string Heard)
{
    /// <summary>The calling process's.</summary>
    internal static MemberView Take() => new(
        Environment.ProcessId,
        HostView.HostName,
        [.. HostView.Visible().Select(static process => $"{process.Id} {process.Name}")],
        File.Exists(WebServer.Log),
        HostView.Kinds.ToDictionary(static kind => kind.Link, static kind => HostView.NamespaceNumber("self", kind.Link)),
        "");
}
