namespace Isolation.Samples;

internal sealed class MountStop : Stop
{
    private readonly string _file = $"/tmp/tour-{Environment.ProcessId}";

    internal override string Name => "mount";

    internal override string Subject => "the file tree";

    internal override string Explanation =>
        "The list of what is mounted where. The sandbox gets a copy of the host's and may change it: here the host's tree is made read-only, " +
        "and empty folders in memory lie over /tmp, /run and /dev. The files below are the same ones, no image was copied.";

    protected override Namespaces Namespaces => Namespaces.Mount;

    protected override string Script => $$"""
        echo "mounts=$(wc -l < /proc/self/mountinfo)"
        while read -r _ _ _ _ place flags _; do [ "$place" = / ] && echo "root=${flags%%,*}"; done < /proc/self/mountinfo
        echo hello > {{_file}} && echo "file=$(cat {{_file}})"
        """;

    protected override IEnumerable<string[]> Rows(Witness shell, string process)
    {
        var root = File.ReadLines("/proc/self/mountinfo").Select(line => line.Split(' ')).Last(fields => fields[4] == "/")[5];
        yield return ["mounts", shell["mounts"].Trim(), HostView.Text(HostView.MountCount)];
        yield return ["/ is", Spoken(shell["root"]), Spoken(root.Split(',')[0])];
        yield return [_file + " says", shell["file"], File.Exists(_file) ? File.ReadAllText(_file).Trim() : "there is no such file"];
    }

    private static string Spoken(string flag) => flag == "ro" ? "read-only" : "writable";
}
