using System.Formats.Tar;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Isolation.Images;

/// <summary>Imports an image whose layer is compressed with zstd: JSON and the decompressor are what trimming could break.</summary>
internal static class ImageCheck
{
    internal static async Task RunAsync()
    {
        var folder = Directory.CreateTempSubdirectory("isolation-aot-").FullName;
        try
        {
            var layer = new MemoryStream();
            using (var tar = new TarWriter(layer, TarEntryFormat.Pax, leaveOpen: true))
                tar.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, "etc/passwd") { DataStream = new MemoryStream("app:x:5:6::/:\n"u8.ToArray()) });
            var machine = RuntimeInformation.OSArchitecture == Architecture.Arm64 ? "arm64" : "amd64";
            var config = $$"""
                {"architecture":"{{machine}}","os":"linux","config":{"User":"app","Cmd":["/bin/x"]},
                 "rootfs":{"type":"layers","diff_ids":["sha256:{{Hex(layer.ToArray())}}"]} }
                """;
            var manifest = $$"""{"schemaVersion":2,"config":{{Blob(Encoding.UTF8.GetBytes(config))}},"layers":[{{Blob(Compress(layer.ToArray()))}}]}""";
            File.WriteAllText(folder + "/index.json", $$"""{"schemaVersion":2,"manifests":[{{Blob(Encoding.UTF8.GetBytes(manifest))}}]}""");
            File.WriteAllText(folder + "/oci-layout", """{"imageLayoutVersion":"1.0.0"}""");

            using var store = ImageStore.Open(folder + "/store");
            var image = await store.ImportAsync(folder, new ImageImportOptions { Reference = "aot" });
            Expectation.Check("app", image.CreateOptions().User.Name);
            Expectation.Check(true, store.TryGet("aot:latest", out _));
            Expectation.Check("app:x:5:6::/:\n", File.ReadAllText(image.Layers[0] + "/etc/passwd"));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }

        string Blob(byte[] content)
        {
            Directory.CreateDirectory(folder + "/blobs/sha256");
            File.WriteAllBytes($"{folder}/blobs/sha256/{Hex(content)}", content);
            return $$"""{"digest":"sha256:{{Hex(content)}}","size":{{content.Length}} }""";
        }
    }

    private static byte[] Compress(byte[] content) => new ZstdSharp.Compressor().Wrap(content).ToArray();

    private static string Hex(byte[] content) => Convert.ToHexStringLower(SHA256.HashData(content));
}
