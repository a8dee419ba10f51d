using System.Runtime.InteropServices;

namespace Isolation;

/// <summary>What a sandbox's terminal is connected to, and how it is left.</summary>
public sealed class TerminalAttachOptions
{
    /// <summary>Where keys come from. Default: null, this app's standard input. A terminal is in raw mode meanwhile. It stays the caller's.</summary>
    public SafeHandle? Input { get; set; }

    /// <summary>Where everything is shown, and whose size the program's terminal follows. Default: null, this app's standard output.</summary>
    public SafeHandle? Output { get; set; }

    /// <summary>
    /// Whether keys are passed on. Default: true. Otherwise the app's terminal stays as it is: Ctrl-C then means the app.
    /// </summary>
    public bool ForwardInput { get; set; } = true;

    /// <summary>
    /// Keys that end the connection and leave the program running, as Docker writes them: <c>ctrl-p,ctrl-q</c>, single characters and
    /// <c>ctrl-</c> with a letter or one of <c>@ [ \ ] ^ _</c>, separated by commas. Default: null, none, and every key is the program's.
    /// </summary>
    /// <exception cref="ArgumentException">Not such a list.</exception>
    public string? DetachKeys
    {
        get;
        set
        {
            if (value is not null) _ = Supervision.DetachKeys.Parse(value);
            field = value;
        }
    }
}
