using System.Reflection;
using System.Runtime.InteropServices;

namespace Isolation.Interop;

/// <summary>
/// Maps the stub (src/Isolation.Stage/stub-*.S) executable, once for each process, and holds its two entry points.
/// The only place that calls libc: five calls, to have something to call everything else with.
/// </summary>
internal static unsafe partial class NativeCode
{
    /// <summary>long issue(nr, a0..a5): the kernel's result as it is, -errno on failure.</summary>
    internal static readonly delegate* unmanaged<nint, nint, nint, nint, nint, nint, nint, nint> Issue;

    /// <summary>The same for calls that never block and take less than a microsecond: without the transition for the garbage collector.</summary>
    internal static readonly delegate* unmanaged[SuppressGCTransition]<nint, nint, nint, nint, nint, nint, nint, nint> IssueShort;

    /// <summary>long spawn(struct spawn *): clones and execs the stage; the child's pid or -errno.</summary>
    internal static readonly delegate* unmanaged<SpawnArguments*, nint> Spawn;

    private const int SpawnOffset = 64;

    static NativeCode()
    {
        Platform.ThrowIfUnsupported();
        var code = Resource("stub");
        // A private file mapping instead of writable anonymous memory: never writable and executable at once, and
        // permitted where a security module forbids executable anonymous memory.
        var fd = memfd_create("isolation-stub", Linux.MFD_CLOEXEC | Linux.MFD_EXEC);
        if (fd < 0) fd = memfd_create("isolation-stub", Linux.MFD_CLOEXEC); // before Linux 6.3 the flag is unknown
        nint address = -1;
        if (fd >= 0)
        {
            fixed (byte* bytes = code)
                if (write(fd, bytes, code.Length) == code.Length)
                    address = mmap(0, code.Length, Linux.PROT_READ | Linux.PROT_EXEC, Linux.MAP_PRIVATE, fd, 0);
            _ = close(fd);
        }

        // Without a descriptor to spare: anonymous memory, written first and made executable then.
        if (fd < 0) address = MapAnonymous(code);
        if (address == -1)
            throw new IsolationException("map the launch stub executable", "mmap", Marshal.GetLastSystemError(), null,
                "vm.memfd_noexec=2 or a security module forbids executable memory files in this process");
        Issue = (delegate* unmanaged<nint, nint, nint, nint, nint, nint, nint, nint>)address;
        IssueShort = (delegate* unmanaged[SuppressGCTransition]<nint, nint, nint, nint, nint, nint, nint, nint>)address;
        Spawn = (delegate* unmanaged<SpawnArguments*, nint>)(address + SpawnOffset);
    }

    private static nint MapAnonymous(byte[] code)
    {
        const int anonymous = 0x20;
        var address = mmap(0, code.Length, Linux.PROT_READ | Linux.PROT_WRITE, Linux.MAP_PRIVATE | anonymous, -1, 0);
        if (address == -1) return -1;
        code.CopyTo(new Span<byte>((void*)address, code.Length));
        return mprotect(address, code.Length, Linux.PROT_READ | Linux.PROT_EXEC) == 0 ? address : -1;
    }

    /// <summary>An embedded binary for this architecture: "stub" or "stage".</summary>
    internal static byte[] Resource(string name)
    {
        var architecture = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? "arm64" : "x64";
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream($"{name}-{architecture}.bin")!;
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int memfd_create(string name, uint flags);

    [LibraryImport("libc")]
    private static partial nint write(int fd, byte* buffer, nint count);

    [LibraryImport("libc")]
    private static partial nint mmap(nint address, nint length, int protection, int flags, int fd, nint offset);

    [LibraryImport("libc")]
    private static partial int mprotect(nint address, nint length, int protection);

    [LibraryImport("libc")]
    private static partial int close(int fd);
}
