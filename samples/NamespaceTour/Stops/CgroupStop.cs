namespace Isolation.Samples;

internal sealed class CgroupStop : Stop
{
    private readonly string _hierarchy = HostView.TellingHierarchy();

    internal override string Name => "cgroup";

    internal override string Subject => "the root of the control groups";

    internal override string Explanation =>
        "Control groups limit what processes use. The namespace only hides where in their tree one is: the group in which the sandbox starts " +
        "is / for it. It moves no process and limits nothing by itself." +
        (HostView.ControlGroup("self", _hierarchy) == "/" ? " This program is in the root group, so here both sides look the same." : "");

    protected override Namespaces Namespaces => Namespaces.Cgroup;

    protected override string Script => $$"""
        while read -r line; do [ "$line" != "${line#{{_hierarchy}}}" ] && echo "group=${line#{{_hierarchy}}}"; done < /proc/self/cgroup
        """;

    protected override IEnumerable<string[]> Rows(Witness shell, string process)
    {
        yield return ["the shell's group", shell["group"], HostView.ControlGroup(process, _hierarchy)];
        yield return ["the hierarchy", _hierarchy, _hierarchy];
    }
}
