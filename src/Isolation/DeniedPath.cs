namespace Isolation;

/// <summary>
/// A file or folder that the program can see by name and not open, whoever it is. One that does not exist the program cannot make
/// either, and nothing is left on the host for it: in a tree of the sandbox's own a place is held, and where nothing can be written none
/// is needed (what the host makes there later can be seen). In a writable folder of the host it must exist, as only a file there could hold the place.
/// </summary>
public sealed class DeniedPath(string target) : Mount(target);
