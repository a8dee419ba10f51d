using System.Globalization;
using Xunit.v3;

namespace Isolation.Tests.Escapes;

/// <summary>Says which of the twenty attempts of <see cref="EscapeIndexTests"/> a test makes: <c>-trait "Escape=07"</c> runs those of the seventh.</summary>
[AttributeUsage(AttributeTargets.Method, AllowMultiple = true)]
public sealed class EscapeAttemptAttribute(int number) : Attribute, ITraitAttribute
{
    public int Number { get; } = number;

    public IReadOnlyCollection<KeyValuePair<string, string>> GetTraits() => [new("Escape", Number.ToString("00", CultureInfo.InvariantCulture))];
}
