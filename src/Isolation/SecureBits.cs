namespace Isolation;

/// <summary>
/// Switches of how capabilities follow user ids and execs, inherited by everything the program starts. prctl(2) PR_SET_SECUREBITS,
/// capabilities(7). SECBIT_KEEP_CAPS itself is missing: every exec clears it.
/// </summary>
[Flags]
public enum SecureBits
{
    /// <summary>The kernel's own behaviour.</summary>
    None = 0,

    /// <summary>SECBIT_NOROOT. User 0 and set-user-ID programs of user 0 gain no capabilities by exec.</summary>
    NoRoot = 1 << 0,

    /// <summary>SECBIT_NOROOT_LOCKED. <see cref="NoRoot"/> stays as it is for good.</summary>
    NoRootLocked = 1 << 1,

    /// <summary>SECBIT_NO_SETUID_FIXUP. Changes of user ids from and to 0 leave the capabilities alone.</summary>
    NoSetUidFixup = 1 << 2,

    /// <summary>SECBIT_NO_SETUID_FIXUP_LOCKED. <see cref="NoSetUidFixup"/> stays as it is for good.</summary>
    NoSetUidFixupLocked = 1 << 3,

    /// <summary>SECBIT_KEEP_CAPS_LOCKED. No program may keep its permitted capabilities when it leaves user 0.</summary>
    KeepCapsLocked = 1 << 5,

    /// <summary>SECBIT_NO_CAP_AMBIENT_RAISE. Nothing can be added to the ambient set. Linux 4.3.</summary>
    NoAmbientRaise = 1 << 6,

    /// <summary>SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED. <see cref="NoAmbientRaise"/> stays as it is for good.</summary>
    NoAmbientRaiseLocked = 1 << 7,

    /// <summary>SECBIT_EXEC_RESTRICT_FILE. Asks interpreters to run only files that the kernel would execute. Linux 6.14.</summary>
    ExecRestrictFile = 1 << 8,

    /// <summary>SECBIT_EXEC_RESTRICT_FILE_LOCKED. <see cref="ExecRestrictFile"/> stays as it is for good. Linux 6.14.</summary>
    ExecRestrictFileLocked = 1 << 9,

    /// <summary>SECBIT_EXEC_DENY_INTERACTIVE. Asks interpreters to run no code but that of files. Linux 6.14.</summary>
    ExecDenyInteractive = 1 << 10,

    /// <summary>SECBIT_EXEC_DENY_INTERACTIVE_LOCKED. <see cref="ExecDenyInteractive"/> stays as it is for good. Linux 6.14.</summary>
    ExecDenyInteractiveLocked = 1 << 11,
}
