namespace Isolation;

/// <summary>
/// What may be done to a file or folder under a <see cref="LandlockPolicy"/>, in the terms of landlock(7): each is the kernel's
/// <c>LANDLOCK_ACCESS_FS_*</c> of that name. The first thirteen need Landlock's ABI 1 (Linux 5.13).
/// </summary>
/// <remarks>
/// Looking a path up, stat(2), chdir(2), chmod(2), chown(2), utime(2), setxattr(2), access(2), flock(2) and fcntl(2) are not restricted by Landlock
/// at all. What a file was opened for before the program started, as a handle that it inherits, it stays open for.
/// </remarks>
[Flags]
public enum LandlockAccess
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>Execute a file. The kernel asks for <see cref="ReadFile"/> as well.</summary>
    Execute = 1 << 0,

    /// <summary>Open a file for writing. To overwrite one, a program mostly needs <see cref="Truncate"/>, too.</summary>
    WriteFile = 1 << 1,

    /// <summary>Open a file for reading.</summary>
    ReadFile = 1 << 2,

    /// <summary>Open a folder or list what is in it.</summary>
    ReadDir = 1 << 3,

    /// <summary>Remove an empty folder, or rename one.</summary>
    RemoveDir = 1 << 4,

    /// <summary>Remove a file, or rename one.</summary>
    RemoveFile = 1 << 5,

    /// <summary>Make (or rename or link) a character device.</summary>
    MakeChar = 1 << 6,

    /// <summary>Make (or rename) a folder.</summary>
    MakeDir = 1 << 7,

    /// <summary>Make (or rename or link) a regular file.</summary>
    MakeReg = 1 << 8,

    /// <summary>Make (or rename or link) a unix domain socket.</summary>
    MakeSock = 1 << 9,

    /// <summary>Make (or rename or link) a named pipe.</summary>
    MakeFifo = 1 << 10,

    /// <summary>Make (or rename or link) a block device.</summary>
    MakeBlock = 1 << 11,

    /// <summary>Make (or rename or link) a symbolic link.</summary>
    MakeSym = 1 << 12,

    /// <summary>
    /// Link or move something from one folder to another, where it must not gain rights by that. Denied (with EXDEV, so that programs copy instead)
    /// by every policy that handles any right to files, unless it handles this one and both folders have it. ABI 2, Linux 5.19.
    /// </summary>
    Refer = 1 << 13,

    /// <summary>Truncate a file: truncate(2), O_TRUNC, creat(2); ftruncate(2) by how the file was opened. ABI 3, Linux 6.2; before, it cannot be denied.</summary>
    Truncate = 1 << 14,

    /// <summary>Most of ioctl(2) on a device that the program opens itself. ABI 5, Linux 6.10; before, it cannot be denied.</summary>
    IoctlDev = 1 << 15,

    /// <summary>Read files and list folders.</summary>
    Read = ReadFile | ReadDir,

    /// <summary>The same, and execute.</summary>
    ReadExecute = Read | Execute,

    /// <summary>Change everything there is in the way of files and folders, without reading them: no devices are made, and none is told anything.</summary>
    Write = WriteFile | RemoveDir | RemoveFile | MakeDir | MakeReg | MakeSock | MakeFifo | MakeSym | Refer | Truncate,

    /// <summary><see cref="Read"/> and <see cref="Write"/>.</summary>
    ReadWrite = Read | Write,

    /// <summary>Everything that Landlock knows as of ABI 7.</summary>
    All = ReadWrite | Execute | MakeChar | MakeBlock | IoctlDev,
}
