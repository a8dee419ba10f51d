namespace Isolation;

internal enum RootKind
{
    HostReadOnly,
    Host,
    Empty,
    Directory,
    Layers,
    ImageFile,
}
