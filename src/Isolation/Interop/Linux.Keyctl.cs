namespace Isolation.Interop;

/// <summary>linux/keyctl.h</summary>
internal static partial class Linux
{
    internal const int KEYCTL_GET_KEYRING_ID = 0;
    internal const int KEYCTL_JOIN_SESSION_KEYRING = 1;
    internal const int KEY_SPEC_SESSION_KEYRING = -3;
}
