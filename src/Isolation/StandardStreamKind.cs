namespace Isolation;

internal enum StandardStreamKind
{
    Inherit,
    Pipe,
    Null,
    Handle,
}
