using System.Net.Sockets;

namespace Isolation.Samples;

/// <summary>The second program of the pod: asks the first one for its page.</summary>
internal static class Visitor
{
    internal static async Task<MemberView> VisitAsync(int port)
    {
        using var client = new HttpClient();
        while (true)
        {
            try
            {
                using var response = await client.GetAsync(new Uri($"http://127.0.0.1:{port}/"), HttpCompletionOption.ResponseHeadersRead);
                var view = MemberView.Take(); // while both are there
                return view with { Heard = await response.Content.ReadAsStringAsync() };
            }
            catch (HttpRequestException e) when (e.InnerException is SocketException { SocketErrorCode: SocketError.ConnectionRefused })
            {
                await Task.Delay(TimeSpan.FromMilliseconds(20)); // it does not listen yet
            }
        }
    }
}
