namespace Isolation;

/// <summary>Folders of the host laid over one another; what the program writes is thrown away, or kept in a folder. overlayfs; an ordinary user needs Linux 5.11.</summary>
public sealed class OverlayMount : Mount
{
    /// <summary>Lays folders over one another.</summary>
    /// <param name="target">Where the result appears.</param>
    /// <param name="lowestFirst">The host's folders; later ones cover earlier ones.</param>
    /// <exception cref="ArgumentException">There is none, or more than 128.</exception>
    public OverlayMount(string target, params IEnumerable<string> lowestFirst)
        : base(target) => Layers = Root.Layers(lowestFirst);

    /// <summary>A folder of the host, on a file system that overlayfs can write to, whose <c>upper</c> takes the changes. Default: null, they are thrown away.</summary>
    public string? Changes
    {
        get => Layers.Changes;
        init => Layers = value is null ? Layers : Layers.WithChangesIn(value);
    }

    internal Root Layers { get; private init; }
}
