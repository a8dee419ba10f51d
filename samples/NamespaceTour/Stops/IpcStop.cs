namespace Isolation.Samples;

internal sealed class IpcStop : Stop
{
    private readonly string _file = $"/dev/shm/tour-{Environment.ProcessId}";

    internal override string Name => "ipc";

    internal override string Subject => "shared memory, semaphores, message queues";

    internal override string Explanation =>
        "The objects of System V and the message queues of POSIX, which have no place in the file tree. POSIX shared memory has: it is a file " +
        "in /dev/shm, so it needs a mount namespace to be private. The shell makes one of each kind.";

    protected override Namespaces Namespaces => Namespaces.Ipc | Namespaces.Mount;

    // ipcmk comes with util-linux, which small systems do not have.
    protected override string Script => $"""
        command -v ipcmk > /dev/null && ipcmk -M 4096 > /dev/null && echo "segments=$(($(wc -l < /proc/sysvipc/shm) - 1))"
        echo hello > {_file} && echo "file=$(cat {_file})"
        """;

    protected override IEnumerable<string[]> Rows(Witness shell, string process)
    {
        const string list = "/proc/sysvipc/shm";
        if (shell["segments"] != "-") yield return ["System V segments", shell["segments"], HostView.Text(File.ReadLines(list).Count() - 1)];
        yield return [_file, shell["file"], File.Exists(_file) ? File.ReadAllText(_file).Trim() : "there is no such file"];
    }
}
