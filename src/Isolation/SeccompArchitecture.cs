namespace Isolation;

/// <summary>
/// A way of making syscalls: a machine's own, or another one that its kernel offers to foreign programs. Each has numbers of
/// its own for the same names.
/// </summary>
public enum SeccompArchitecture
{
    /// <summary>64-bit programs on x64 machines (AUDIT_ARCH_X86_64).</summary>
    X64,

    /// <summary>32-bit programs on x64 machines, and <c>int 0x80</c> in 64-bit ones (AUDIT_ARCH_I386).</summary>
    X86,

    /// <summary>64-bit programs with 32-bit pointers on x64 machines: X64 with the bit 0x40000000 in the number.</summary>
    X32,

    /// <summary>64-bit programs on arm64 machines (AUDIT_ARCH_AARCH64).</summary>
    Arm64,

    /// <summary>32-bit programs (EABI) on arm64 machines (AUDIT_ARCH_ARM).</summary>
    Arm,
}
