using System.Formats.Tar;
using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace Isolation.Tests.Images;

/// <summary>Writes images around layers, right ones and wrong ones.</summary>
internal static class ImageBuilder
{
    internal static string Machine => RuntimeInformation.OSArchitecture == Architecture.Arm64 ? "arm64" : "amd64";

    internal static string OtherMachine => Machine == "arm64" ? "amd64" : "arm64";

    /// <summary>An OCI layout of one image.</summary>
    internal static string Layout(string folder, string config, params byte[][] layers) =>
        Layout(folder, (Machine, config, layers, """, "annotations":{"org.opencontainers.image.ref.name":"test:1"}"""));

    internal static string Layout(string folder, params byte[][] layers) => Layout(folder, "{}", layers);

    /// <summary>An OCI layout of several images, each with what is to be said of it in the index.</summary>
    internal static string Layout(string folder, params (string Machine, string Config, byte[][] Layers, string Index)[] images)
    {
        Directory.CreateDirectory(folder);
        var manifests = images.Select(image => Describe(Manifest(folder, image.Machine, image.Config, image.Layers), image.Index));
        Index(folder, string.Join(',', manifests));
        return folder;
    }

    internal static void Index(string folder, string manifests)
    {
        File.WriteAllText(Path.Combine(folder, "oci-layout"), """{"imageLayoutVersion":"1.0.0"}""");
        File.WriteAllText(Path.Combine(folder, "index.json"), $$"""{"schemaVersion":2,"manifests":[{{manifests}}]}""");
    }

    /// <summary>Writes the blobs of an image; returns the manifest's digest and size.</summary>
    internal static (string Hex, int Size) Manifest(string folder, string machine, string config, params byte[][] layers)
    {
        var stored = layers.Select(layer => Describe(Blob(folder, layer)));
        var written = Blob(folder, Encoding.UTF8.GetBytes(Configuration(machine, config, layers)));
        var manifest = $$"""{"schemaVersion":2,"config":{{Describe(written)}},"layers":[{{string.Join(',', stored)}}]}""";
        return Blob(folder, Encoding.UTF8.GetBytes(manifest));
    }

    internal static string Configuration(string machine, string config, params byte[][] layers)
    {
        var ids = layers.Select(layer => $"\"sha256:{Hex(Decompress(layer))}\"");
        return $$"""{"architecture":"{{machine}}","os":"linux","config":{{config}},"rootfs":{"type":"layers","diff_ids":[{{string.Join(',', ids)}}]} }""";
    }

    internal static (string Hex, int Size) Blob(string folder, byte[] content)
    {
        Directory.CreateDirectory(Path.Combine(folder, "blobs/sha256"));
        File.WriteAllBytes(Path.Combine(folder, "blobs/sha256", Hex(content)), content);
        return (Hex(content), content.Length);
    }

    internal static string Describe((string Hex, int Size) blob, string more = "") =>
        $$"""{"digest":"sha256:{{blob.Hex}}","size":{{blob.Size}}{{more}} }""";

    /// <summary>What docker wrote until version 25.</summary>
    internal static string DockerArchive(string file, string tag, params byte[][] layers)
    {
        var config = Encoding.UTF8.GetBytes(Configuration(Machine, "{}", layers));
        using var tar = new TarWriter(File.Create(file), TarEntryFormat.Pax);
        Write(Hex(config) + ".json", config);
        for (var i = 0; i < layers.Length; i++) Write($"{i}/layer.tar", layers[i]);
        var names = string.Join(',', layers.Select((_, i) => $"\"{i}/layer.tar\""));
        Write("manifest.json", Encoding.UTF8.GetBytes($$"""[{"Config":"{{Hex(config)}}.json","RepoTags":["{{tag}}"],"Layers":[{{names}}]}]"""));
        return file;

        void Write(string name, byte[] content) =>
            tar.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(content) });
    }

    internal static byte[] Gzip(byte[] content)
    {
        var result = new MemoryStream();
        using (var gzip = new GZipStream(result, CompressionLevel.Fastest)) gzip.Write(content);
        return result.ToArray();
    }

    internal static string Hex(byte[] content) => Convert.ToHexStringLower(SHA256.HashData(content));

    private static byte[] Decompress(byte[] layer)
    {
        if (layer is not [0x1f, 0x8b, ..]) return layer;
        var result = new MemoryStream();
        using var gzip = new GZipStream(new MemoryStream(layer), CompressionMode.Decompress);
        gzip.CopyTo(result);
        return result.ToArray();
    }
}
