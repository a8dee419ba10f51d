using System.Text;

namespace Isolation.Samples;

/// <summary>
/// Writes tables and boxes, 80 columns wide: with lines and colours on a terminal, and as aligned plain text where the
/// output goes to a file or a pipe, or where NO_COLOR (https://no-color.org) or TERM=dumb ask for it.
/// </summary>
internal sealed class Screen : IDisposable
{
    private const int Width = 80;
    private const string Reset = "\e[0m";
    private const string Bold = "\e[1m";
    private const string Dim = "\e[2m";

    /// <summary>The label, what is inside, what is on the host; further columns as the host's.</summary>
    private static readonly string[] s_columnColours = ["", "\e[36m", "\e[33m"];

    private readonly StreamWriter _writer;
    private readonly bool _rich;

    /// <summary>Not Console.Out, which writes every line by itself: what belongs together shall appear together.</summary>
    internal Screen()
    {
        _writer = new StreamWriter(Console.OpenStandardOutput(), new UTF8Encoding(encoderShouldEmitUTF8Identifier: false));
        _rich = !Console.IsOutputRedirected
            && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"))
            && Environment.GetEnvironmentVariable("TERM") is not (null or "" or "dumb")
            && Console.OutputEncoding.CodePage == Encoding.UTF8.CodePage;
    }

    internal void Heading(string text) => Line(_rich ? Bold + text + Reset : text);

    /// <summary>A paragraph, broken between words.</summary>
    internal void Say(string text)
    {
        var line = new StringBuilder();
        foreach (var word in text.Split(' '))
        {
            if (line.Length > 0 && line.Length + 1 + word.Length > Width)
            {
                Line(line.ToString());
                line.Clear();
            }

            line.Append(line.Length > 0 ? " " : "").Append(word);
        }

        Line(line.ToString());
    }

    internal void Line(string text = "") => _writer.WriteLine(text);

    internal void Flush() => _writer.Flush();

    public void Dispose() => _writer.Dispose();

    /// <summary>Columns of the given widths, of which the last may be left out: it gets the rest of the line.</summary>
    internal void Table(int[] widths, string[] header, IEnumerable<string[]> rows)
    {
        var columns = header.Length;
        var all = new int[columns];
        widths.AsSpan(0, Math.Min(columns, widths.Length)).CopyTo(all);
        if (widths.Length < columns) all[^1] = Width - 1 - 3 * columns - all.AsSpan(0, columns - 1).ToArray().Sum();
        if (!_rich)
        {
            PlainRow(all, header);
            foreach (var row in rows) PlainRow(all, row);
            return;
        }

        Line(Rule('╭', '┬', '╮', all));
        Line(Row(all, header, _ => Bold));
        Line(Rule('├', '┼', '┤', all));
        foreach (var row in rows) Line(Row(all, row, column => s_columnColours[Math.Min(column, s_columnColours.Length - 1)]));
        Line(Rule('╰', '┴', '╯', all));
    }

    /// <summary>Boxes of equal width, side by side; as plain text, one below the other.</summary>
    internal void Boxes(IReadOnlyList<(string Title, IReadOnlyList<string> Lines)> boxes)
    {
        if (!_rich)
        {
            foreach (var (title, lines) in boxes)
            {
                Line(title);
                foreach (var line in lines) Line("  " + line);
            }

            return;
        }

        var width = (Width - (boxes.Count - 1)) / boxes.Count - 4;
        var height = boxes.Max(box => box.Lines.Count);
        Line(string.Join(' ', boxes.Select(box => $"{Dim}╭─ {Reset}{Bold}{box.Title}{Reset}{Dim} {new string('─', width - box.Title.Length - 1)}╮{Reset}")));
        for (var i = 0; i < height; i++)
            Line(string.Join(' ', boxes.Select(box => $"{Dim}│{Reset} {s_columnColours[1]}{Fit(i < box.Lines.Count ? box.Lines[i] : "", width)}{Reset} {Dim}│{Reset}")));
        Line(string.Join(' ', boxes.Select(_ => $"{Dim}╰{new string('─', width + 2)}╯{Reset}")));
    }

    private void PlainRow(int[] widths, string[] cells) => Line(string.Join("  ", cells.Select((cell, i) => Fit(cell, widths[i]))).TrimEnd());

    private static string Row(int[] widths, string[] cells, Func<int, string> colour)
    {
        var text = new StringBuilder();
        for (var i = 0; i < widths.Length; i++)
            text.Append(Dim).Append("│ ").Append(Reset).Append(colour(i)).Append(Fit(cells[i], widths[i])).Append(Reset).Append(' ');
        return text.Append(Dim).Append('│').Append(Reset).ToString();
    }

    private static string Rule(char left, char middle, char right, int[] widths) =>
        Dim + left + string.Join(middle, widths.Select(width => new string('─', width + 2))) + right + Reset;

    private static string Fit(string text, int width) => text.Length <= width ? text.PadRight(width) : text[..(width - 1)] + "…";
}
