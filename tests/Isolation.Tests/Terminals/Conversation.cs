using System.Text;
using FluentAssertions;
using Xunit;

namespace Isolation.Tests.Terminals;

/// <summary>Types at a terminal and waits for what appears there, as expect(1) does.</summary>
internal sealed class Conversation(Stream terminal)
{
    private readonly StringBuilder _unread = new();
    private readonly byte[] _buffer = new byte[4096];

    internal async Task Type(string keys) => await terminal.WriteAsync(Encoding.UTF8.GetBytes(keys), TestContext.Current.CancellationToken);

    /// <summary>Everything up to and with a text, which must appear.</summary>
    internal async Task<string> Expect(string text)
    {
        while (true)
        {
            var seen = _unread.ToString();
            if (seen.IndexOf(text, StringComparison.Ordinal) is >= 0 and var at)
            {
                _unread.Remove(0, at + text.Length);
                return seen[..(at + text.Length)];
            }

            (await Read()).Should().BePositive("'{0}' is to appear, and there was only: {1}", text, seen);
        }
    }

    /// <summary>The rest, which must have an end.</summary>
    internal async Task<string> Rest()
    {
        while (await Read() > 0)
        {
        }

        return _unread.ToString();
    }

    /// <summary>Has a shell run a line, and returns what that prints. For a shell that does not echo.</summary>
    internal async Task<string> Run(string line)
    {
        await Type(line + "; echo done: $?\n");
        var output = await Expect("done: ");
        await Expect("\n");
        return output[..^"done: ".Length].ReplaceLineEndings("\n").TrimEnd('\n');
    }

    private async Task<int> Read()
    {
        var count = await terminal.ReadAsync(_buffer, TestContext.Current.CancellationToken);
        _unread.Append(Encoding.UTF8.GetString(_buffer, 0, count));
        return count;
    }
}
