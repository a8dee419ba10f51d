using System.Diagnostics;
using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace Isolation.Benchmarks;

/// <summary>An OCI layout around one layer.</summary>
internal static class SmallLayout
{
    internal static void Write(string folder, string layer)
    {
        var blobs = Path.Combine(folder, "blobs/sha256");
        Directory.CreateDirectory(blobs);
        var architecture = RuntimeInformation.OSArchitecture == Architecture.Arm64 ? "arm64" : "amd64";
        var config = $$"""{"architecture":"{{architecture}}","os":"linux","rootfs":{"type":"layers","diff_ids":["sha256:{{ContentDigest(layer)}}"] } }""";
        var digest = FileDigest(layer);
        File.Copy(layer, Path.Combine(blobs, digest));
        var stored = $$"""{"digest":"sha256:{{digest}}","size":{{new FileInfo(layer).Length}} }""";
        var manifest = $$"""{"schemaVersion":2,"config":{{Put(config)}},"layers":[{{stored}}]}""";
        File.WriteAllText(Path.Combine(folder, "index.json"), $$"""{"schemaVersion":2,"manifests":[{{Put(manifest)}}]}""");
        File.WriteAllText(Path.Combine(folder, "oci-layout"), """{"imageLayoutVersion":"1.0.0"}""");

        string Put(string text)
        {
            var bytes = Encoding.UTF8.GetBytes(text);
            var hex = Convert.ToHexStringLower(SHA256.HashData(bytes));
            File.WriteAllBytes(Path.Combine(blobs, hex), bytes);
            return $$"""{"digest":"sha256:{{hex}}","size":{{bytes.Length}} }""";
        }
    }

    private static string FileDigest(string path)
    {
        using var file = File.OpenRead(path);
        return Convert.ToHexStringLower(SHA256.HashData(file));
    }

    private static string ContentDigest(string path)
    {
        if (path.EndsWith(".zst", StringComparison.Ordinal))
        {
            using var zstd = Process.Start(new ProcessStartInfo("zstd", ["-dcq", path]) { RedirectStandardOutput = true })!;
            return Convert.ToHexStringLower(SHA256.HashData(zstd.StandardOutput.BaseStream));
        }

        using var file = File.OpenRead(path);
        using Stream plain = path.EndsWith(".gz", StringComparison.Ordinal) ? new GZipStream(file, CompressionMode.Decompress) : file;
        return Convert.ToHexStringLower(SHA256.HashData(plain));
    }
}
