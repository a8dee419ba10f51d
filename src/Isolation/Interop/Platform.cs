using System.Runtime.InteropServices;

namespace Isolation.Interop;

/// <summary>What the library runs on: Linux on x64 or arm64.</summary>
internal static class Platform
{
    internal static void ThrowIfUnsupported()
    {
        if (!OperatingSystem.IsLinux())
            throw new PlatformNotSupportedException("Isolation needs Linux: namespaces are a feature of its kernel.");
        if (RuntimeInformation.ProcessArchitecture is not (Architecture.X64 or Architecture.Arm64))
            throw new PlatformNotSupportedException($"Isolation supports x64 and arm64, not {RuntimeInformation.ProcessArchitecture}.");
    }
}
