namespace Isolation;

/// <summary>The file tree that the program sees. In effect with <see cref="Namespaces.Mount"/>.</summary>
public sealed class FilesystemOptions
{
    /// <summary>What is at <c>/</c>. Default: the host's tree, read-only.</summary>
    public Root Root { get; set; } = Root.HostReadOnly;

    /// <summary>
    /// What is put into the tree, in this order, after the private folders below. At most 128. With the host's own tree as root, a place
    /// must exist there; in every other it is made where it does not.
    /// </summary>
    public IList<Mount> Mounts { get; } = [];

    /// <summary>Further devices of the host for the private /dev, by their names below <c>/dev</c>: <c>fuse</c>, <c>net/tun</c>. Default: none.</summary>
    public IList<string> Devices { get; } = [];

    /// <summary>
    /// A procfs of the sandbox's own PID namespace at <c>/proc</c>. Default: true. Without <see cref="Namespaces.Pid"/> the
    /// host's procfs stays in view, for the kernel lets only the owner of a PID namespace mount it.
    /// </summary>
    public bool PrivateProc { get; set; } = true;

    /// <summary>
    /// An empty tmpfs at <c>/tmp</c> and, if there is one, another at <c>/var/tmp</c>. Default: true. A copy-on-write root
    /// keeps the folders it has, whose content is its own anyway, and gets a <c>/tmp</c> if it has none.
    /// </summary>
    public bool PrivateTmp { get; set; } = true;

    /// <summary>
    /// An empty tmpfs at <c>/run</c>. Default: true, as a read-only mount does not keep a program from connecting to the
    /// control sockets of the host's daemons that lie there. A copy-on-write root keeps its own.
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
