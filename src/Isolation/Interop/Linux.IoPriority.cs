namespace Isolation.Interop;

/// <summary>linux/ioprio.h</summary>
internal static partial class Linux
{
    internal const int IOPRIO_CLASS_SHIFT = 13;
    internal const int IOPRIO_CLASS_RT = 1;
    internal const int IOPRIO_CLASS_BE = 2;
    internal const int IOPRIO_CLASS_IDLE = 3;
    internal const int IOPRIO_WHO_PROCESS = 1;
}
