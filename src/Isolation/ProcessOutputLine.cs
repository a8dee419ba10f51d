namespace Isolation;

/// <summary>A line that a program wrote.</summary>
/// <param name="Content">The line, without its line break.</param>
/// <param name="StandardError">It was written to standard error.</param>
public readonly record struct ProcessOutputLine(string Content, bool StandardError);
