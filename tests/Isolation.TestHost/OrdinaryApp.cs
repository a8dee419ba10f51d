using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;

namespace Isolation.TestHost;

/// <summary>What an app of .NET does that knows nothing of sandboxes: threads, sockets, files, children, a collection.</summary>
internal static class OrdinaryApp
{
    internal static int Run()
    {
        var folder = Directory.CreateTempSubdirectory("ordinary-").FullName;
        File.WriteAllText(folder + "/a", "text");
        File.Move(folder + "/a", folder + "/b");
        Expect.Equal(File.ReadAllText(folder + "/b"), "text", "the file");
        Directory.Delete(folder, recursive: true);
        Expect.Equal(Enumerable.Range(0, 1000).AsParallel().Sum(static n => n), 499_500, "the sum");
        Expect.Equal(SHA256.HashData(Encoding.UTF8.GetBytes("x")).Length, 32, "the hash");
        GC.Collect(2, GCCollectionMode.Aggressive, blocking: true);
        using var process = Process.Start(new ProcessStartInfo("echo", "child") { RedirectStandardOutput = true })!;
        Expect.Equal(process.StandardOutput.ReadToEnd(), "child\n", "the child's output");
        process.WaitForExit();
        Expect.Equal(process.ExitCode, 0, "the child's exit code");
        Talk().GetAwaiter().GetResult();
        Console.WriteLine("ordinary");
        return 0;
    }

    private static async Task Talk()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var client = new TcpClient();
        var accepted = listener.AcceptTcpClientAsync();
        await client.ConnectAsync((IPEndPoint)listener.LocalEndpoint);
        using var server = await accepted;
        await client.GetStream().WriteAsync("ping"u8.ToArray());
        var received = new byte[4];
        await server.GetStream().ReadExactlyAsync(received);
        Expect.Equal(Encoding.ASCII.GetString(received), "ping", "what was received");
    }
}
