using System.Globalization;
using System.Text;

namespace Isolation.Benchmarks;

/// <summary>
/// The times to the exit as bars, in SVG. On a scale of powers of ten, for there are three between the first and the last. It
/// has a background of its own, so that it can be read wherever it is shown, and follows the reader's choice of light or dark.
/// </summary>
internal static class PeersChart
{
    /// <summary>What a title of ours begins with.</summary>
    internal const string Ours = "IsolatedProcess.Start";

    private const int Width = 860, Left = 225, Right = 140, Top = 74, Row = 34, Bar = 11, Bottom = 46;

    // Not by variables: not everything that shows SVG has them.
    private const string Style =
        """
        <style>
        text { font: 13px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; fill: #1f2328; }
        .title { font-size: 16px; font-weight: 600; } .mine { font-weight: 600; } .value { font-size: 11px; }
        .faint { font-size: 12px; fill: #59636e; } line { stroke: #d1d9e0; } .back { fill: #ffffff; stroke: #d1d9e0; }
        .ours0 { fill: #1a7f37; } .ours1 { fill: #4ac26b; } .other0 { fill: #6e7781; } .other1 { fill: #afb8c1; }
        @media (prefers-color-scheme: dark) {
        text { fill: #e6edf3; } .faint { fill: #9198a1; } line { stroke: #30363d; } .back { fill: #0d1117; stroke: #30363d; }
        .ours0 { fill: #3fb950; } .ours1 { fill: #238636; } .other0 { fill: #8b949e; } .other1 { fill: #57606a; }
        }
        </style>
        """;

    internal static string Draw(Contest[] contests)
    {
        // Rows from the fastest on, by the last contest that a way took part in: the one that everyone can do comes last.
        var rows = (from contest in contests
                    from i in Enumerable.Range(0, contest.Ways.Length)
                    where contest.Ways[i].Measure is not null
                    group (contest, i) by contest.Ways[i].Key into row
                    orderby row.Max(static r => r.contest.Series[r.i].Exit(0.5))
                    select row.ToArray()).ToArray();
        var all = rows.SelectMany(static row => row).Select(static r => r.contest.Series[r.i].Exit(0.5)).ToArray();
        var (least, most) = (Math.Floor(Math.Log10(all.Min())), Math.Ceiling(Math.Log10(all.Max())));
        double X(double microseconds) => Left + (Math.Log10(microseconds) - least) / (most - least) * (Width - Left - Right);

        var bottom = Top + rows.Length * Row;
        var text = new StringBuilder();
        var height = bottom + Bottom;
        text.Append(CultureInfo.InvariantCulture,
            $"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {Width} {height}\" width=\"{Width}\" height=\"{height}\" role=\"img\" aria-label=\"Start to exit of a sandbox, by tool\">\n");
        text.Append(Style).Append('\n');
        text.Append(CultureInfo.InvariantCulture, $"<rect class=\"back\" x=\"0.5\" y=\"0.5\" width=\"{Width - 1}\" height=\"{height - 1}\" rx=\"6\"/>\n");
        text.Append("<text class=\"title\" x=\"20\" y=\"28\">A full sandbox, from its start to its program's exit</text>\n");
        Legend(text, contests);
        for (var power = (int)least; power <= (int)most; power++)
        {
            var x = X(Math.Pow(10, power));
            text.Append(CultureInfo.InvariantCulture, $"<line x1=\"{x:0.#}\" y1=\"{Top - 6}\" x2=\"{x:0.#}\" y2=\"{bottom}\"/>\n");
            text.Append(CultureInfo.InvariantCulture, $"<text class=\"faint\" x=\"{x:0.#}\" y=\"{bottom + 16}\" text-anchor=\"middle\">{Time(Math.Pow(10, power))}</text>\n");
        }

        for (var row = 0; row < rows.Length; row++)
        {
            var way = rows[row][0].contest.Ways[rows[row][0].i];
            var isOurs = way.Title.StartsWith(Ours, StringComparison.Ordinal);
            var (y, y0) = (Top + row * Row, Top + row * Row + (Row - Bar * rows[row].Length) / 2.0);
            text.Append(CultureInfo.InvariantCulture, $"<text x=\"{Left - 10}\" y=\"{y + Row / 2 + 4}\" text-anchor=\"end\"{(isOurs ? " class=\"mine\"" : "")}>{Escape(way.Title)}</text>\n");
            foreach (var (contest, i) in rows[row])
            {
                var (x, kind) = (X(contest.Series[i].Exit(0.5)), Array.IndexOf(contests, contest));
                text.Append(CultureInfo.InvariantCulture, $"<rect class=\"{(isOurs ? "ours" : "other")}{kind}\" x=\"{Left}\" y=\"{y0:0.#}\" width=\"{x - Left:0.#}\" height=\"{Bar - 1}\"/>\n");
                text.Append(CultureInfo.InvariantCulture,
                    $"<text class=\"value\" x=\"{x + 6:0.#}\" y=\"{y0 + Bar - 2:0.#}\">{Time(contest.Series[i].Exit(0.5))} · {PeersMarkdown.Times(contest.ExitOfOthers(i))}×</text>\n");
                y0 += Bar;
            }
        }

        text.Append(CultureInfo.InvariantCulture, $"<text class=\"faint\" x=\"20\" y=\"{bottom + 36}\">{Escape(Machine.Description)}</text>\n</svg>\n");
        return text.ToString();
    }

    private static void Legend(StringBuilder text, Contest[] contests)
    {
        var x = 20;
        for (var i = 0; i < contests.Length; i++, x += 210)
        {
            text.Append(CultureInfo.InvariantCulture, $"<rect class=\"ours{i}\" x=\"{x}\" y=\"42\" width=\"8\" height=\"10\"/><rect class=\"other{i}\" x=\"{x + 8}\" y=\"42\" width=\"8\" height=\"10\"/>\n");
            text.Append(CultureInfo.InvariantCulture, $"<text class=\"faint\" x=\"{x + 22}\" y=\"51\">{contests[i].Title}</text>\n");
        }

        text.Append(CultureInfo.InvariantCulture, $"<text class=\"faint\" x=\"{Width - 20}\" y=\"51\" text-anchor=\"end\">median; scale of powers of ten; × of {Ours}</text>\n");
    }

    private static string Time(double microseconds) => microseconds switch
    {
        < 999.5 => string.Create(CultureInfo.InvariantCulture, $"{microseconds:0} µs"),
        < 9995 => string.Create(CultureInfo.InvariantCulture, $"{microseconds / 1000:0.##} ms"),
        < 999500 => string.Create(CultureInfo.InvariantCulture, $"{microseconds / 1000:0} ms"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{microseconds / 1e6:0.#} s"),
    };

    private static string Escape(string text) => text.Replace("&", "&amp;", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal);
}
