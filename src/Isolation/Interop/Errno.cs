using System.Runtime.InteropServices;

namespace Isolation.Interop;

/// <summary>The errnos that the library names or treats specially (asm-generic/errno*.h; the same on x64 and arm64).</summary>
internal enum Errno
{
    EPERM = 1, ENOENT = 2, ESRCH = 3, EINTR = 4, EIO = 5, ENXIO = 6, E2BIG = 7, ENOEXEC = 8, EBADF = 9, ECHILD = 10,
    EAGAIN = 11, ENOMEM = 12, EACCES = 13, EFAULT = 14, ENOTBLK = 15, EBUSY = 16, EEXIST = 17, EXDEV = 18, ENODEV = 19,
    ENOTDIR = 20, EISDIR = 21, EINVAL = 22, ENFILE = 23, EMFILE = 24, ENOTTY = 25, ETXTBSY = 26, EFBIG = 27, ENOSPC = 28,
    ESPIPE = 29, EROFS = 30, EMLINK = 31, EPIPE = 32, EDOM = 33, ERANGE = 34, EDEADLK = 35, ENAMETOOLONG = 36, ENOSYS = 38,
    ENOTEMPTY = 39, ELOOP = 40, ENODATA = 61, EOVERFLOW = 75, ELIBBAD = 80, EUSERS = 87, EOPNOTSUPP = 95, EAFNOSUPPORT = 97, ETIMEDOUT = 110, EDQUOT = 122, ENOKEY = 126,
}

internal static class ErrnoExtensions
{
    /// <summary>The errno's symbolic name and the C library's sentence for it: "EPERM (Operation not permitted)".</summary>
    internal static string Describe(int errno)
    {
        var name = Enum.IsDefined((Errno)errno) ? ((Errno)errno).ToString() : $"errno {errno}";
        return $"{name} ({Marshal.GetPInvokeErrorMessage(errno)})";
    }
}
