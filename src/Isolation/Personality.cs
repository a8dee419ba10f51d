namespace Isolation;

/// <summary>
/// What the kernel does differently for a program: personality(2). It survives exec, but for what the program file itself decides
/// (<see cref="ReadImpliesExecute"/> for most of today's).
/// </summary>
[Flags]
public enum Personality : uint
{
    /// <summary>PER_LINUX. Nothing.</summary>
    Linux = 0,

    /// <summary>PER_LINUX32. The machine has the name of its 32-bit kind: <c>uname -m</c> says i686 on x64, as build scripts want.</summary>
    Linux32 = Interop.Linux.PER_LINUX32,

    /// <summary>UNAME26. The kernel calls itself 2.6.</summary>
    UName26 = Interop.Linux.UNAME26,

    /// <summary>ADDR_NO_RANDOMIZE. No random addresses, for debuggers and what must be the same each time. Takes away a protection.</summary>
    NoAddressRandomization = Interop.Linux.ADDR_NO_RANDOMIZE,

    /// <summary>MMAP_PAGE_ZERO. Address 0 is mapped and reads as zeros, where vm.mmap_min_addr allows it.</summary>
    MapPageZero = Interop.Linux.MMAP_PAGE_ZERO,

    /// <summary>ADDR_COMPAT_LAYOUT. The memory layout of old kernels.</summary>
    CompatibleLayout = Interop.Linux.ADDR_COMPAT_LAYOUT,

    /// <summary>READ_IMPLIES_EXEC. What can be read can be executed. Takes away a protection.</summary>
    ReadImpliesExecute = Interop.Linux.READ_IMPLIES_EXEC,

    /// <summary>ADDR_LIMIT_32BIT. Addresses of 32 bits.</summary>
    AddressLimit32Bit = Interop.Linux.ADDR_LIMIT_32BIT,

    /// <summary>ADDR_LIMIT_3GB. Addresses below 3 GiB.</summary>
    AddressLimit3GB = Interop.Linux.ADDR_LIMIT_3GB,
}
