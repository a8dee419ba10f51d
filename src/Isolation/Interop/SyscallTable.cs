using System.Runtime.InteropServices;

namespace Isolation.Interop;

/// <summary>Syscall numbers of the two supported architectures (asm/unistd.h), in the order of <see cref="Sys"/>.</summary>
internal static class SyscallTable
{
    internal static ReadOnlySpan<ushort> X64 =>
    [
        0, 1, 3, 9, 11, 77, 72, 16, 293, 271, 292, 247, 62, 272, 308,
        165, 166, 80, 79, 259, 258, 266, 257, 138, 157, 126, 125, 116,
        117, 119, 112, 170, 171, 13, 14, 59, 41,
        291, 233, 281, 434, 424, 436, 428, 429,
        442, 319, 107, 108, 39, 95, 231, 202, 435, 332, 141, 98, 228,
        437, 430, 431, 432, 155, 81, 260,
        265, 263, 316, 267, 280, 190, 193, 217, 18, 8, 73, 74, 306,
        91, 268, 93,
        135,
        444, 445, 446, 290, 439,
        302,
        317,
        438, 310,
        250, 248, 249,
        144, 203, 251,
        53, 46, 47, 121,
    ];

    internal static ReadOnlySpan<ushort> Arm64 =>
    [
        63, 64, 57, 222, 215, 46, 25, 29, 59, 73, 24, 95, 129, 97, 268,
        40, 39, 49, 17, 33, 34, 36, 56, 44, 167, 91, 90, 159,
        147, 149, 157, 161, 162, 134, 135, 221, 198,
        20, 21, 22, 434, 424, 436, 428, 429,
        442, 279, 175, 177, 172, 166, 94, 98, 435, 291, 140, 165, 113,
        437, 430, 431, 432, 41, 50, 54,
        37, 35, 276, 78, 88, 7, 10, 61, 68, 62, 32, 82, 267,
        52, 53, 55,
        92,
        444, 445, 446, 19, 439,
        261,
        277,
        438, 270,
        219, 217, 218,
        119, 122, 30,
        199, 211, 212, 155,
    ];

    private static readonly bool s_arm64 = RuntimeInformation.ProcessArchitecture == Architecture.Arm64;

    internal static int Number(Sys call) => (s_arm64 ? Arm64 : X64)[(int)call];
}
