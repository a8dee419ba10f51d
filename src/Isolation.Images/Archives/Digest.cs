using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;

namespace Isolation.Images.Archives;

/// <summary>A SHA-256 digest, by its 64 hexadecimal digits in lower case.</summary>
internal readonly record struct Digest(string Hex)
{
    private const string Algorithm = "sha256:";

    public override string ToString() => Algorithm + Hex;

    internal static Digest FromHash(ReadOnlySpan<byte> hash) => new(Convert.ToHexStringLower(hash));

    internal static Digest Of(ReadOnlySpan<byte> content)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(content, hash);
        return FromHash(hash);
    }

    internal static bool IsHex(ReadOnlySpan<char> text) => text.Length == 64 && !text.ContainsAnyExcept("0123456789abcdef");

    /// <summary>"sha256:" and 64 digits.</summary>
    internal static bool TryParse([NotNullWhen(true)] string? text, out Digest digest)
    {
        digest = default;
        if (text is null || !text.StartsWith(Algorithm, StringComparison.Ordinal) || !IsHex(text.AsSpan(Algorithm.Length))) return false;
        digest = new(text[Algorithm.Length..]);
        return true;
    }

    internal static Digest Parse(string? text) =>
        TryParse(text, out var digest) ? digest
        : throw new ImageException($"'{ImageException.Printable(text ?? "")}' is no SHA-256 digest", "Only sha256:… with 64 digits in lower case is supported");
}
