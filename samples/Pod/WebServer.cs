using System.Net;
using System.Net.Sockets;

namespace Isolation.Samples;

/// <summary>The first program of the pod: a web server for one visitor, at an address that only the pod has.</summary>
internal static class WebServer
{
    internal const int Port = 8080;
    internal const string Log = "/tmp/web.log";

    internal static async Task<MemberView> ServeAsync(int port)
    {
        await File.WriteAllTextAsync(Log, "one visitor");
        using var listener = new TcpListener(IPAddress.Loopback, port);
        listener.Start();
        using var visitor = await listener.AcceptTcpClientAsync();
        await using var stream = visitor.GetStream();
        using var reader = new StreamReader(stream);
        var request = await reader.ReadLineAsync() ?? "";
        while (await reader.ReadLineAsync() is { Length: > 0 })
        {
            // The header fields are of no interest.
        }

        var view = MemberView.Take() with { Heard = request };
        var page = $"Hello from process {view.ProcessId} of {view.HostName}.";
        await using var writer = new StreamWriter(stream) { NewLine = "\r\n" };
        await writer.WriteLineAsync($"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {page.Length}\r\nConnection: close\r\n");
        await writer.WriteAsync(page);
        await writer.FlushAsync();
        _ = await reader.ReadLineAsync(); // until the visitor goes: it looks around first
        return view;
    }
}
