using System.Globalization;
using System.Text;

namespace Isolation.Filtering;

/// <summary>Names and numbers of all syscalls, from syscalls.txt (see eng/syscalls.sh).</summary>
internal static class SyscallNames
{
    private const int Architectures = 5;

    private static readonly Dictionary<string, int[]> s_numbers = Read();
    private static readonly Dictionary<int, string>[] s_names = [.. Enumerable.Range(0, Architectures).Select(Invert)];

    /// <summary>Some Linux has this call, if not on this machine.</summary>
    internal static bool IsKnown(string name) => s_numbers.ContainsKey(name);

    internal static IEnumerable<string> All => s_numbers.Keys;

    /// <summary>The number, for x32 without its bit; -1 where the architecture lacks the call.</summary>
    internal static int Number(string name, SeccompArchitecture architecture) =>
        s_numbers.TryGetValue(name, out var numbers) ? numbers[(int)architecture] : -1;

    /// <summary>The name of a number, which is without its bit for x32.</summary>
    internal static string? Name(int number, SeccompArchitecture architecture) => s_names[(int)architecture].GetValueOrDefault(number);

    internal static IEnumerable<int> Numbers(SeccompArchitecture architecture) => s_names[(int)architecture].Keys;

    /// <summary>What is wrong with a name that is unknown, with the most similar one that is not.</summary>
    internal static string Unknown(string? name)
    {
        if (string.IsNullOrEmpty(name)) return "The name of a syscall is empty.";
        var (nearest, distance) = ("", int.MaxValue);
        foreach (var candidate in s_numbers.Keys)
        {
            var d = Distance(name, candidate);
            if (d < distance) (nearest, distance) = (candidate, d);
        }

        var hint = distance <= Math.Max(1, name.Length / 3) ? $" Is '{nearest}' meant?" : "";
        return $"There is no syscall '{name}'.{hint}";
    }

    /// <summary>How many letters must be added, dropped or exchanged.</summary>
    private static int Distance(string a, string b)
    {
        Span<int> row = stackalloc int[b.Length + 1];
        for (var j = 0; j <= b.Length; j++) row[j] = j;
        foreach (var letter in a)
        {
            var diagonal = row[0]++;
            for (var j = 1; j <= b.Length; j++)
            {
                var next = Math.Min(Math.Min(row[j], row[j - 1]) + 1, diagonal + (letter == b[j - 1] ? 0 : 1));
                (diagonal, row[j]) = (row[j], next);
            }
        }

        return row[b.Length];
    }

    private static Dictionary<string, int[]> Read()
    {
        using var stream = typeof(SyscallNames).Assembly.GetManifestResourceStream("syscalls.txt")!;
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        var result = new Dictionary<string, int[]>(600, StringComparer.Ordinal);
        for (ReadOnlySpan<byte> rest = bytes; rest.Length > 0;)
        {
            var line = rest[..rest.IndexOf((byte)'\n')];
            rest = rest[(line.Length + 1)..];
            if (line[0] == '#') continue;
            var name = line[..line.IndexOf((byte)' ')];
            var numbers = new int[Architectures];
            line = line[(name.Length + 1)..];
            for (var i = 0; i < Architectures; i++)
            {
                var end = line.IndexOf((byte)' ') is var space and >= 0 ? space : line.Length;
                numbers[i] = int.TryParse(line[..end], CultureInfo.InvariantCulture, out var number) ? number : -1;
                line = line[Math.Min(end + 1, line.Length)..];
            }

            result.Add(Encoding.ASCII.GetString(name), numbers);
        }

        return result;
    }

    private static Dictionary<int, string> Invert(int architecture)
    {
        var result = new Dictionary<int, string>();
        foreach (var (name, numbers) in s_numbers)
            if (numbers[architecture] >= 0) result.TryAdd(numbers[architecture], name);
        return result;
    }
}
