namespace Isolation.Samples;

internal sealed class PidStop : Stop
{
    internal override string Name => "pid";

    internal override string Subject => "process ids";

    internal override string Explanation =>
        "The numbers start again at 1, and processes outside have none at all: they can be neither seen nor signalled. When process 1 ends, " +
        "the kernel ends all the others. /proc shows the view of whoever mounted it, so a mount namespace with a /proc of its own goes with it.";

    protected override Namespaces Namespaces => Namespaces.Pid | Namespaces.Mount;

    protected override string Script => $"""
        start_sleep
        processes
        echo "pid=$$"
        if kill -0 {Environment.ProcessId} 2> /dev/null; then echo "host=exists"; else echo "host=no such process"; fi
        """;

    protected override IEnumerable<string[]> Rows(Witness shell, string process)
    {
        yield return ["the shell's own number", shell["pid"], process];
        yield return ["processes", HostView.Few(shell.All("process")), $"{HostView.ProcessCount} of them"];
        // Small numbers, which this program has in a container, may well be taken inside too.
        if (Environment.ProcessId > 1000) yield return [$"{Environment.ProcessId}, this program", shell["host"], "exists"];
    }
}
