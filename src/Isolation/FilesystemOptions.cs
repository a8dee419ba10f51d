namespace Isolation;

/// <summary>The file tree that the program sees. In effect with <see cref="Namespaces.Mount"/>.</summary>
public sealed class FilesystemOptions
{
    /// <summary>What is at <c>/</c>. Default: the host's tree, read-only.</summary>
    public RootMode Root { get; set; } = RootMode.HostReadOnly;

    /// <summary>
    /// A procfs of the sandbox's own PID namespace at <c>/proc</c>. Default: true. Without <see cref="Namespaces.Pid"/> the
    /// host's procfs stays in view, for the kernel lets only the owner of a PID namespace mount it.
    /// </summary>
    public bool PrivateProc { get; set; } = true;

    /// <summary>An empty tmpfs at <c>/tmp</c> and another at <c>/var/tmp</c>. Default: true.</summary>
    public bool PrivateTmp { get; set; } = true;

    /// <summary>
    /// An empty tmpfs at <c>/run</c>. Default: true, as a read-only mount does not keep a program from connecting to the
    /// control sockets of the host's daemons that lie there.
    /// </summary>
    public bool PrivateRun { get; set; } = true;

    /// <summary>
    /// A <c>/dev</c> with null, zero, full, random, urandom, tty, a devpts instance and shared memory of its own, and
    /// nothing else. Default: true.
    /// </summary>
    public bool PrivateDev { get; set; } = true;

    /// <summary>
    /// Hides the kernel files through which a process of the host's root could read or steer the machine
    /// (<c>/proc/kcore</c>, <c>/sys/firmware</c> …) and makes <c>/proc/sys</c> and its like, and all of <c>/sys</c>, read-only. Default: true.
    /// </summary>
    public bool MaskKernelFiles { get; set; } = true;

    /// <summary>Size limit, in bytes, of each tmpfs of <see cref="PrivateTmp"/> and <see cref="PrivateRun"/>. Default: 256 MiB.</summary>
    public long TmpSize { get; set; } = 256L << 20;

    /// <summary>Size limit, in bytes, of <c>/dev/shm</c>. Default: 64 MiB.</summary>
    public long SharedMemorySize { get; set; } = 64L << 20;
}
