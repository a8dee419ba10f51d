namespace Isolation.Supervision;

/// <summary>Finds the keys that end a connection among those that are typed, and holds back what may be their beginning.</summary>
internal sealed class DetachKeys(byte[] sequence)
{
    private int _matched;

    internal int Length => sequence.Length;

    internal static DetachKeys Parse(string text)
    {
        var keys = text.Split(',');
        var sequence = new byte[keys.Length];
        for (var i = 0; i < keys.Length; i++)
        {
            sequence[i] = keys[i] switch
            {
                [> ' ' and <= '~' and var key] => (byte)key,
                ['c', 't', 'r', 'l', '-', (>= 'a' and <= 'z') or (>= '@' and <= '_')] => (byte)(keys[i][5] & 0x1f),
                _ => throw new ArgumentException($"'{keys[i]}' is no key: it is a character, or ctrl- and a letter or one of @ [ \\ ] ^ _.", nameof(text)),
            };
        }

        return new DetachKeys(sequence);
    }

    /// <summary>Copies what is meant for the program.</summary>
    /// <param name="typed">What has been typed.</param>
    /// <param name="to">Has room for it and for the keys themselves.</param>
    /// <param name="detached">The keys were among it.</param>
    /// <returns>How much was copied.</returns>
    internal int Filter(ReadOnlySpan<byte> typed, Span<byte> to, out bool detached)
    {
        var count = 0;
        detached = false;
        foreach (var key in typed)
        {
            while (_matched > 0 && key != sequence[_matched])
            {
                // No match after all: the first of what was held back is the program's, the rest may still begin another.
                var held = _matched;
                to[count++] = sequence[0];
                _matched = LongestBeginning(sequence.AsSpan(1, held - 1));
                for (var i = 1; i < held - _matched; i++) to[count++] = sequence[i];
            }

            if (key != sequence[_matched])
            {
                to[count++] = key;
            }
            else if (++_matched == sequence.Length)
            {
                detached = true;
                _matched = 0;
                break;
            }
        }

        return count;
    }

    /// <summary>How much of the end of something is a beginning of the keys.</summary>
    private int LongestBeginning(ReadOnlySpan<byte> text)
    {
        for (var start = 0; start < text.Length; start++)
            if (sequence.AsSpan().StartsWith(text[start..])) return text.Length - start;
        return 0;
    }
}
