namespace Isolation;

/// <summary>
/// A file or folder that the program can see by name and not open, whoever it is. One that does not exist cannot come into
/// being either, and nothing is left on the host.
/// </summary>
public sealed class DeniedPath(string target) : Mount(target);
