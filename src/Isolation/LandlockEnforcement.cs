namespace Isolation;

/// <summary>What happens where a kernel cannot enforce all of a <see cref="LandlockPolicy"/>.</summary>
public enum LandlockEnforcement
{
    /// <summary>The program does not start: <see cref="IsolationException"/>, before anything has been created.</summary>
    Required,

    /// <summary>
    /// What the kernel does not know is left out, and with no Landlock in the kernel all of it. What is left is told by
    /// <see cref="IsolatedProcess.Landlock"/>, and a warning logged.
    /// </summary>
    BestEffort,
}
