using System.Runtime.InteropServices;
using Isolation.Images.Documents;

namespace Isolation.Images.Archives;

/// <summary>Machines as images name them, which is as Go does.</summary>
internal static class Platform
{
    internal static string Name(Architecture architecture) => architecture switch
    {
        Architecture.X64 => "amd64",
        Architecture.Arm64 => "arm64",
        Architecture.X86 => "386",
        Architecture.Arm => "arm",
        _ => architecture.ToString().ToLowerInvariant(),
    };

    internal static bool IsFor(string wanted, string? system, string? architecture) =>
        system is null or "" or "linux" && (architecture is null or "" || Canonical(architecture) == wanted);

    /// <summary>Which of several variants suits any machine of the architecture: the higher, the better.</summary>
    internal static int Rank(OciPlatform? platform) => (Canonical(platform?.Architecture ?? ""), platform?.Variant) switch
    {
        (_, null or "") => 10,
        ("arm64", "v8") or ("amd64", "v1") => 9,
        ("arm", ['v', var level and >= '5' and <= '7']) => level - '0',
        _ => 0,
    };

    private static string Canonical(string architecture) => architecture switch
    {
        "x86_64" or "x86-64" => "amd64",
        "aarch64" => "arm64",
        "i386" or "i686" => "386",
        "armhf" => "arm",
        _ => architecture,
    };
}
