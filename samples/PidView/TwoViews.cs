namespace Isolation.Samples;

/// <summary>One shell in namespaces of its own: how it sees itself, and how the host sees it.</summary>
internal static class TwoViews
{
    private const string Script = """
        start_sleep
        processes
        echo "pid=$$"
        echo "user=$(id -u)"
        read -r name < /proc/sys/kernel/hostname && echo "host=$name"
        echo "mounts=$(wc -l < /proc/self/mountinfo)"
        echo "tmp=$(ls -A /tmp | wc -l)"
        sed -n 's/^ *\(.*\):.*/interface=\1/p' /proc/net/dev
        read -r seconds _ < /proc/uptime && echo "uptime=$seconds"
        """;

    internal static async Task ShowAsync(Screen screen, CancellationToken cancellationToken)
    {
        var namespaces = Namespaces.All & HostView.Supported;
        screen.Heading($"Starting a shell in {Count(namespaces)} namespaces of its own, to see it from both sides.");
        screen.Line();
        screen.Flush();

        await using var shell = await Witness.StartAsync(Script, options =>
        {
            options.Namespaces = namespaces;
            options.HostName = "sandbox";
            if (namespaces.HasFlag(Namespaces.Time)) options.Time.BootTimeOffset = TimeSpan.FromDays(1000);
        }, cancellationToken);

        var process = HostView.Text(shell.ProcessId);
        var members = HostView.Neighbours(shell.ProcessId);
        screen.Table([14, 28], ["the same shell", "from inside", "from the host"],
        [
            ["process id", shell["pid"], process],
            ["processes", Plain(shell.All("process")), Plain([.. members.Select(member => $"{member.Id} {member.Name}")])],
            ["  in all", HostView.Text(shell.All("process").Count), HostView.Text(HostView.ProcessCount)],
            ["user id", shell["user"], HostView.Status(process, "Uid").Split(' ')[0]],
            ["host name", shell["host"], HostView.HostName],
            ["mounts", shell["mounts"].Trim(), HostView.Text(HostView.MountCount)],
            ["files in /tmp", shell["tmp"].Trim(), HostView.Text(Directory.GetFileSystemEntries("/tmp").Length)],
            ["network", HostView.Few(shell.All("interface")), HostView.Few(HostView.Interfaces)],
            ["up for", HostView.Spoken(HostView.Seconds(shell["uptime"])), HostView.Spoken(HostView.Uptime)],
        ]);

        screen.Line();
        screen.Say($"One process with two numbers. The host's /proc/{process}/status says so:");
        screen.Line($"    NSpid:  {HostView.Status(process, "NSpid").Replace(" ", "  ", StringComparison.Ordinal)}");
        screen.Line();
        screen.Say($"A namespace is an object of the kernel with a number, see /proc/{process}/ns:");
        screen.Table([14, 28], ["namespace", "of the shell", "of the host"],
            from kind in HostView.Kinds
            where HostView.Supported.HasFlag(kind.Flag)
            select new[] { kind.Name, HostView.NamespaceNumber(process, kind.Link), HostView.NamespaceNumber("self", kind.Link) });
        screen.Line();
        screen.Flush();
    }

    private static string Plain(IReadOnlyList<string> processes) => HostView.Few(processes, 2);

    private static string Count(Namespaces namespaces)
    {
        string[] words = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight"];
        return words[System.Numerics.BitOperations.PopCount((uint)namespaces)];
    }
}
