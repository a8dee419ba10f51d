using Isolation.Interop;
using Isolation.Launching;
using Isolation.Stage;

namespace Isolation.TestHost;

/// <summary>What a stage says of itself, for as long as one likes to look: an arena in a file is unmapped when the start has failed.</summary>
internal sealed unsafe class ProgramView : IDisposable
{
    private const int Size = 4096;

    private readonly ProgramHeader* _header;

    internal ProgramView(LaunchArena arena)
    {
        var memory = Kernel.mmap(Size, Linux.PROT_READ, Linux.MAP_SHARED, arena.Descriptor);
        if (Kernel.IsError(memory)) throw new InvalidOperationException($"mmap: {(Errno)(-memory)}");
        _header = (ProgramHeader*)memory;
    }

    internal int Current => (int)Volatile.Read(ref _header->Current);

    internal int Child => Volatile.Read(ref _header->Child);

    public void Dispose() => _ = Kernel.munmap((nint)_header, Size);
}
