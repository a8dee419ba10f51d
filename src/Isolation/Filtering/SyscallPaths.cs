namespace Isolation.Filtering;

/// <summary>Which argument of a call is the path it is about.</summary>
internal static class SyscallPaths
{
    private static readonly HashSet<string> s_first =
    [
        "open", "creat", "mkdir", "rmdir", "unlink", "rename", "chmod", "chown", "lchown", "chroot", "pivot_root", "umount", "umount2", "swapon", "swapoff", "execve",
        "truncate", "symlink", "link", "mknod", "statfs", "acct", "uselib", "setxattr", "lsetxattr", "removexattr", "utime", "utimes",
    ];

    private static readonly HashSet<string> s_second =
    [
        "mount", "open_tree", "open_tree_attr", "move_mount", "fspick", "mount_setattr", "name_to_handle_at", "openat", "openat2", "mkdirat", "unlinkat",
        "renameat", "renameat2", "linkat", "fchmodat", "fchmodat2", "fchownat", "mknodat", "execveat", "utimensat",
    ];

    internal static string? Of(SyscallNotification call)
    {
        var name = call.Syscall;
        return s_first.Contains(name) ? call.ReadString(call.GetArgument(0)) : s_second.Contains(name) ? call.ReadString(call.GetArgument(1)) : null;
    }
}
