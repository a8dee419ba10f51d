using System.Buffers.Binary;
using System.Globalization;
using Isolation.Interop;

namespace Isolation.Launching;

/// <summary>Mounts the file system in a file, attached nowhere: EROFS by itself where the kernel can (6.12), else through a loop device that goes with the mount.</summary>
internal static unsafe class ImageMounter
{
    private const string Step = "mount the image";
    private const int ErofsOffset = 1024;
    private const uint ErofsMagic = 0xe0f5e1e2, SquashfsMagic = 0x73717368;
    private const int Attempts = 64;

    /// <returns>A descriptor of the mount: read-only, without set-user-ID bits and devices.</returns>
    internal static int Mount(string path)
    {
        var file = Kernel.open(path, Linux.O_RDONLY);
        if (file < 0) throw LaunchFailure.Host(Step, "openat", -file, path);
        try
        {
            var type = TypeOf(file, path);
            if (type == "erofs")
            {
                var direct = TryMount(type, path, out _, out _);
                if (direct >= 0) return direct;
                if (direct == -(int)Errno.EPERM) throw LaunchFailure.Host(Step, "fsopen", (int)Errno.EPERM, path, NeedsRoot);
            }

            return MountByLoop(type, file, path);
        }
        finally
        {
            _ = Kernel.close(file);
        }
    }

    private const string NeedsRoot = "Mounting an image needs root (CAP_SYS_ADMIN); an ordinary user can unpack it and use Root.Directory";

    private static string TypeOf(int file, string path)
    {
        Span<byte> head = stackalloc byte[ErofsOffset + 4];
        var read = Kernel.read(file, head);
        if (read < 0) throw LaunchFailure.Host(Step, "read", (int)-read, path);
        head = head[..(int)read];
        if (head.Length >= 4 && BinaryPrimitives.ReadUInt32LittleEndian(head) == SquashfsMagic) return "squashfs";
        if (head.Length == ErofsOffset + 4 && BinaryPrimitives.ReadUInt32LittleEndian(head[ErofsOffset..]) == ErofsMagic) return "erofs";
        throw LaunchFailure.Host(Step, null, (int)Errno.EINVAL, path, "The file holds neither an EROFS nor a squashfs file system");
    }

    private static int MountByLoop(string type, int file, string path)
    {
        const string control = "/dev/loop-control";
        var devices = Kernel.open(control, Linux.O_RDWR);
        if (devices < 0)
            throw LaunchFailure.Host(Step, "openat", -devices, control, devices is -(int)Errno.EACCES or -(int)Errno.EPERM ? NeedsRoot : "There are no loop devices here");
        try
        {
            // Between the answer and its use somebody else may take the device.
            for (var i = 0; i < Attempts; i++)
            {
                var number = Kernel.ioctl(devices, Linux.LOOP_CTL_GET_FREE, 0);
                if (number < 0) throw LaunchFailure.Host(Step, "ioctl", (int)-number, control, NeedsRoot);
                var device = string.Create(CultureInfo.InvariantCulture, $"/dev/loop{number}");
                var loop = Kernel.open(device, Linux.O_RDWR);
                if (loop < 0) throw LaunchFailure.Host(Step, "openat", -loop, device, loop == -(int)Errno.ENOENT ? "The device node is missing, as in a container; unpack the image and use Root.Directory" : null);
                try
                {
                    var config = new loop_config { fd = (uint)file, lo_flags = Linux.LO_FLAGS_READ_ONLY | Linux.LO_FLAGS_AUTOCLEAR };
                    var result = (int)Kernel.ioctl(loop, Linux.LOOP_CONFIGURE, (nint)(&config));
                    if (result == -(int)Errno.EBUSY) continue;
                    if (result < 0) throw LaunchFailure.Host(Step, "ioctl", -result, device, "LOOP_CONFIGURE");
                    var mount = TryMount(type, device, out var call, out var errno);
                    if (mount >= 0) return mount;
                    throw LaunchFailure.Host(Step, call, errno, path, (Errno)errno switch
                    {
                        Errno.ENODEV => $"This kernel has no {type}",
                        Errno.EINVAL => $"The {type} in the file is damaged, or uses something that this kernel does not know",
                        Errno.EPERM => NeedsRoot,
                        _ => null,
                    });
                }
                finally
                {
                    _ = Kernel.close(loop);
                }
            }

            throw LaunchFailure.Host(Step, "ioctl", (int)Errno.EBUSY, control, "Every loop device was taken by somebody else before it could be used");
        }
        finally
        {
            _ = Kernel.close(devices);
        }
    }

    private static int TryMount(string type, string source, out string call, out int errno)
    {
        call = "fsopen";
        errno = 0;
        var context = Kernel.fsopen(type);
        if (context < 0)
        {
            errno = -context;
            return context;
        }

        try
        {
            call = "fsconfig";
            var result = Kernel.fsconfig(context, Linux.FSCONFIG_SET_STRING, "source", source);
            if (result >= 0) result = Kernel.fsconfig(context, Linux.FSCONFIG_SET_FLAG, "ro", null);
            if (result >= 0) result = Kernel.fsconfig(context, Linux.FSCONFIG_CMD_CREATE, null, null);
            if (result >= 0)
            {
                call = "fsmount";
                result = Kernel.AboveStandard(Kernel.fsmount(context, (uint)(Linux.MOUNT_ATTR_RDONLY | Linux.MOUNT_ATTR_NOSUID | Linux.MOUNT_ATTR_NODEV)));
            }

            errno = result < 0 ? -result : 0;
            return result;
        }
        finally
        {
            _ = Kernel.close(context);
        }
    }
}
