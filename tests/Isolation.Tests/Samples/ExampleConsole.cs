using System.Globalization;

namespace Isolation.Tests.Samples;

/// <summary>Remembers what an example prints.</summary>
internal sealed class ExampleConsole
{
    private readonly StringWriter _text = new(CultureInfo.InvariantCulture) { NewLine = "\n" };

    internal string Text => _text.ToString();

    internal void Write(string text) => _text.Write(text);

    internal void Write(object? value) => _text.Write(value);

    internal void WriteLine(object? value) => _text.WriteLine(value);
}
