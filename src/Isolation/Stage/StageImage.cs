using Isolation.Interop;

namespace Isolation.Stage;

/// <summary>The stage, in a sealed memfd: made once for each process, executed for each start.</summary>
internal static class StageImage
{
    private static readonly Retried<int> s_descriptor = new(Create);

    internal static int Descriptor => s_descriptor.Value;

    private static int Create()
    {
        var image = NativeCode.Resource("stage");
        var fd = Kernel.memfd_create("isolation-stage\0"u8, Linux.MFD_CLOEXEC | Linux.MFD_ALLOW_SEALING | Linux.MFD_EXEC);
        if (fd == -(int)Errno.EINVAL) fd = Kernel.memfd_create("isolation-stage\0"u8, Linux.MFD_CLOEXEC | Linux.MFD_ALLOW_SEALING); // before 6.3
        fd = Kernel.AboveStandard(fd);
        if (fd < 0)
            throw new IsolationException("make the stage executable", "memfd_create", -fd, null,
                fd == -(int)Errno.EACCES ? "vm.memfd_noexec=2 forbids executable memory files" : null);
        var written = Kernel.write(fd, image);
        var sealing = Kernel.fcntl(fd, Linux.F_ADD_SEALS, Linux.F_SEAL_SEAL | Linux.F_SEAL_SHRINK | Linux.F_SEAL_GROW | Linux.F_SEAL_WRITE);
        if (written == image.Length && sealing >= 0) return fd;
        _ = Kernel.close(fd);
        throw new IsolationException("make the stage executable", written == image.Length ? "fcntl" : "write", written == image.Length ? -sealing : (int)-Math.Min(written, 0), null, null);
    }
}
