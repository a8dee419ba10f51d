namespace Isolation.Samples;

internal sealed class UtsStop : Stop
{
    internal override string Name => "uts";

    internal override string Subject => "the machine's name";

    internal override string Explanation =>
        "The host name, and the domain name of NIS. Called after the structure that uname(2) fills in: UNIX Time-sharing System.";

    protected override Namespaces Namespaces => Namespaces.Uts;

    protected override string Script => """
        read -r name < /proc/sys/kernel/hostname && echo "host=$name"
        read -r name < /proc/sys/kernel/domainname && echo "domain=$name"
        """;

    protected override void Configure(IsolationOptions options)
    {
        options.HostName = "elsewhere";
        options.DomainName = "example";
    }

    protected override IEnumerable<string[]> Rows(Witness shell, string process)
    {
        yield return ["host name", shell["host"], HostView.HostName];
        yield return ["domain name", shell["domain"], File.ReadAllText("/proc/sys/kernel/domainname").Trim()];
    }
}
