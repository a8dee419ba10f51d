using System.Runtime.InteropServices;

namespace Isolation.TestHost;

/// <summary>What makes a host hostile, and what looks at it, through the C library as other code in an app would.</summary>
internal static partial class Native
{
    internal const int PR_GET_DUMPABLE = 3;
    internal const int PR_SET_NO_NEW_PRIVS = 38;
    internal const int SIGCHLD = 17;
    internal const nint SIG_IGN = 1;

    [LibraryImport("libc", SetLastError = true)]
    internal static partial nint signal(int number, nint handler);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int execv(string path, string?[] arguments);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int setresuid(uint real, uint effective, uint saved);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int setresgid(uint real, uint effective, uint saved);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int setgroups(nint count, nint groups);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int prctl(int operation, nint a, nint b, nint c, nint d);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial nint syscall(nint number, nint a, nint b, nint c);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int kill(int pid, int signal);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int open(string path, int flags);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int close(int fd);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial uint umask(uint mask);
}
