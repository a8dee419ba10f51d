namespace Isolation.Filtering;

/// <summary>What a profile says about one syscall: its rules in their order, up to the first that always fits, and what else.</summary>
/// <param name="Rules">Rules with conditions, by their places in the profile.</param>
/// <param name="Otherwise">When none of them fits.</param>
internal sealed record Outcome(int[] Rules, SeccompAction Otherwise)
{
    public bool Equals(Outcome? other) => other is not null && Otherwise == other.Otherwise && Rules.AsSpan().SequenceEqual(other.Rules);

    public override int GetHashCode()
    {
        var hash = new HashCode();
        hash.Add(Otherwise);
        foreach (var rule in Rules) hash.Add(rule);
        return hash.ToHashCode();
    }
}
