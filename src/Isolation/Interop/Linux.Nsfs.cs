namespace Isolation.Interop;

/// <summary>linux/nsfs.h</summary>
internal static partial class Linux
{
    /// <summary>_IO(0xb7, 2)</summary>
    internal const uint NS_GET_PARENT = 0xb702;
}
