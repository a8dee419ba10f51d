namespace Isolation.Samples;

/// <summary>A kind of namespace, shown by a sandbox that has that one and as few others as possible.</summary>
internal abstract class Stop
{
    /// <summary>The name by which the kind is known to unshare(1) and to this program's command line.</summary>
    internal abstract string Name { get; }

    /// <summary>What it gives a copy of.</summary>
    internal abstract string Subject { get; }

    /// <summary>What it does, in plain words.</summary>
    internal abstract string Explanation { get; }

    /// <summary>The namespaces of the sandbox. A user namespace is among them always: it lets ordinary users have the others.</summary>
    protected abstract Namespaces Namespaces { get; }

    /// <summary>What the shell in the sandbox does and tells.</summary>
    protected abstract string Script { get; }

    private (string Name, string Link, Namespaces Flag) Kind => HostView.Kinds.Single(kind => kind.Name == Name);

    internal async Task VisitAsync(Screen screen, CancellationToken cancellationToken)
    {
        screen.Heading($"{Name}: {Subject}");
        screen.Say(Explanation);
        if (!HostView.Supported.HasFlag(Kind.Flag))
        {
            screen.Say("This kernel was built without it, so there is nothing to see here.");
            return;
        }

        await using var shell = await Witness.StartAsync(Script, options =>
        {
            options.Namespaces = Namespaces | Namespaces.User;
            Configure(options);
        }, cancellationToken);
        var process = HostView.Text(shell.ProcessId);
        screen.Table([24, 23], ["", "inside", "on the host"],
        [
            .. Rows(shell, process),
            ["number of the namespace", HostView.NamespaceNumber(process, Kind.Link), HostView.NamespaceNumber("self", Kind.Link)],
        ]);
    }

    /// <summary>Further options of the sandbox.</summary>
    protected virtual void Configure(IsolationOptions options)
    {
    }

    /// <summary>What to compare: a label, the view from inside, the view from the host. The shell is alive.</summary>
    protected abstract IEnumerable<string[]> Rows(Witness shell, string process);
}
