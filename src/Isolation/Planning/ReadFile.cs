namespace Isolation.Planning;

/// <summary>A file of the sandbox's tree that the stage reads for the host.</summary>
/// <param name="Path">Its path inside.</param>
/// <param name="Open">The step that opens it.</param>
/// <param name="Read">The step that reads it; the next must find nothing more.</param>
/// <param name="Content">Where in the plan's data.</param>
internal readonly record struct ReadFile(string Path, int Open, int Read, int Content)
{
    /// <summary>The step that looks whether it is a regular file.</summary>
    internal int Check => Open + 2;
}
