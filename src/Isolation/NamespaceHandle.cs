using System.Globalization;
using System.Runtime.InteropServices;
using Isolation.Interop;
using Isolation.Launching;
using Microsoft.Win32.SafeHandles;

namespace Isolation;

/// <summary>
/// Holds a namespace, which lives at least as long as a handle to it does, also without any process in it. With
/// <see cref="BindTo"/> it lives on by a file, after this app as well, for <see cref="Open"/> to find. namespaces(7).
/// </summary>
/// <remarks>A PID namespace whose process 1 has ended takes no further process, whoever holds it.</remarks>
public sealed class NamespaceHandle : SafeHandleZeroOrMinusOneIsInvalid
{
    private const string Step = "open a namespace";

    private NamespaceHandle(int descriptor, Namespaces kind, ulong id)
        : base(ownsHandle: true)
    {
        (Kind, Id) = (kind, id);
        SetHandle(descriptor);
    }

    /// <summary>The kind of namespace, as the kernel says.</summary>
    public Namespaces Kind { get; }

    /// <summary>The number by which the kernel tells namespaces from each other, as <c>/proc/PID/ns</c> shows it: 4026531840 in <c>net:[4026531840]</c>.</summary>
    public ulong Id { get; }

    /// <summary>Opens a file that a namespace was bound to, by <see cref="BindTo"/>, <c>ip netns add</c> or others, or a link of <c>/proc/PID/ns</c>.</summary>
    /// <exception cref="IsolationException">It cannot be opened, or is no namespace.</exception>
    public static NamespaceHandle Open(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        OptionsValidator.NoNul(path, nameof(path));
        Platform.ThrowIfUnsupported();
        var fd = Kernel.AboveStandard(Kernel.open(path, Linux.O_RDONLY | Linux.O_NONBLOCK));
        return fd >= 0 ? Of(fd, path) : throw LaunchFailure.Host(Step, "openat", -fd, path, Hint((Errno)(-fd)));
    }

    /// <summary>Opens a namespace of a process.</summary>
    /// <param name="processId">The process, as this one sees it.</param>
    /// <param name="kind">Which one.</param>
    /// <exception cref="ArgumentException"><paramref name="kind"/> is not one kind.</exception>
    /// <exception cref="IsolationException">There is no such process, or it must not be looked at.</exception>
    public static NamespaceHandle FromProcess(int processId, Namespaces kind)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(processId);
        Platform.ThrowIfUnsupported();
        var pidfd = Kernel.AboveStandard(Kernel.pidfd_open(processId));
        if (pidfd < 0) throw LaunchFailure.Host(Step, "pidfd_open", -pidfd, processId.ToString(CultureInfo.InvariantCulture));
        try
        {
            return Of(pidfd, kind);
        }
        finally
        {
            _ = Kernel.close(pidfd);
        }
    }

    /// <summary>
    /// Binds the namespace to a file, so that it outlives every process and handle. The file is made if there is none. Takes CAP_SYS_ADMIN over the mount
    /// namespace of this process; it is seen where that one's mounts are. A mount namespace can be bound only on a mount that does not propagate.
    /// </summary>
    /// <exception cref="IsolationException">It cannot be done.</exception>
    public void BindTo(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        OptionsValidator.NoNul(path, nameof(path));
        const string step = "bind a namespace to a file";
        var fd = Kernel.open(path, Linux.O_RDONLY | Linux.O_CREAT | Linux.O_EXCL);
        var isNew = fd >= 0;
        if (fd is < 0 and not -(int)Errno.EEXIST) throw LaunchFailure.Host(step, "openat", -fd, path);
        if (isNew) _ = Kernel.close(fd);
        var added = false;
        try
        {
            DangerousAddRef(ref added);
            var source = string.Create(CultureInfo.InvariantCulture, $"/proc/self/fd/{(int)handle}");
            var result = Kernel.mount(source, path, Linux.MS_BIND);
            if (result == 0) return;
            if (isNew) _ = Kernel.unlink(path);
            throw LaunchFailure.Host(step, "mount", -result, path, (Errno)(-result) switch
            {
                Errno.EPERM => "This takes CAP_SYS_ADMIN over the mount namespace of this process: run as root, or in a user and mount namespace of its own",
                Errno.EINVAL when Kind == Namespaces.Mount => "A mount namespace can be bound only on a mount that is private (mount --make-private), and not in itself or one that it was made from later",
                _ => null,
            });
        }
        finally
        {
            if (added) DangerousRelease();
        }
    }

    /// <summary>Takes a namespace off the file it was bound to, and removes the file. It lives on as long as somebody is in it or holds it.</summary>
    /// <exception cref="IsolationException">Nothing is bound there, or it takes more rights.</exception>
    public static void Unbind(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        OptionsValidator.NoNul(path, nameof(path));
        const string step = "take a namespace off a file";
        using (Open(path))
        {
            // It is one.
        }

        var result = Kernel.umount2(path, MntDetach);
        if (result < 0) throw LaunchFailure.Host(step, "umount2", -result, path);
        result = Kernel.unlink(path);
        if (result < 0) throw LaunchFailure.Host(step, "unlinkat", -result, path);
    }

    /// <summary>Such as <c>Network 4026531840</c>.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Kind} {Id}");

    /// <summary>A namespace of the process behind a pidfd.</summary>
    internal static NamespaceHandle Of(int pidfd, Namespaces kind)
    {
        var (link, request) = NamespaceKinds.Find(kind) is { } found
            ? found : throw new ArgumentException("It must be one kind of namespace.", nameof(kind));
        var fd = (int)Kernel.ioctl(pidfd, request, 0); // Linux 6.11
        if (fd is -(int)Errno.ENOTTY or -(int)Errno.EINVAL)
        {
            var path = NamespaceKinds.Path(pidfd, link);
            fd = Kernel.open(path, Linux.O_RDONLY);
            // Between the look at the number and the opening it may have become another's.
            if (fd >= 0 && Kernel.pidfd_send_signal(pidfd, 0) == -(int)Errno.ESRCH)
            {
                _ = Kernel.close(fd);
                fd = -(int)Errno.ESRCH;
            }
        }

        fd = Kernel.AboveStandard(fd);
        return fd >= 0 ? Of(fd, link) : throw LaunchFailure.Host(Step, null, -fd, link, Hint((Errno)(-fd)));
    }

    /// <inheritdoc/>
    protected override bool ReleaseHandle() => Kernel.close((int)handle) == 0;

    private const int MntDetach = 2; // no header for programs has MNT_DETACH

    private static NamespaceHandle Of(int fd, string path)
    {
        var type = (int)Kernel.ioctl(fd, Linux.NS_GET_NSTYPE, 0);
        var kind = type > 0 ? NamespaceKinds.Of((ulong)(uint)type) : Namespaces.None;
        if (kind != 0 && Kernel.statx(fd, Linux.STATX_INO, out var status) == 0) return new NamespaceHandle(fd, kind, status.stx_ino);
        _ = Kernel.close(fd);
        throw LaunchFailure.Host(Step, "ioctl", type < 0 ? -type : (int)Errno.EINVAL, path, "This is no namespace: nothing is bound to the file, or not any more");
    }

    private static string? Hint(Errno errno) => errno switch
    {
        Errno.ESRCH or Errno.ENOENT => "The process has ended, or this kernel has no such namespaces",
        Errno.EPERM or Errno.EACCES => "Whose namespaces are opened must be a process that this one may trace: of the same user, or with CAP_SYS_PTRACE",
        _ => null,
    };
}
