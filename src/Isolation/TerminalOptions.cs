using Isolation.Supervision;

namespace Isolation;

/// <summary>
/// The terminal that a program gets (pty(7)): <c>/dev/pts/0</c> of the sandbox's own devpts, with job control, which only the sandbox
/// and the holder of <see cref="IsolatedProcess.Terminal"/> can reach. Without <see cref="Namespaces.Mount"/> or
/// <see cref="FilesystemOptions.PrivateDev"/> it is one of the host's.
/// </summary>
/// <remarks>
/// <para>Keys act inside: Ctrl-C is the byte 3 written to the terminal, which sends SIGINT to what runs in its foreground. A program that is
/// process 1 of its PID namespace and has no handler for a signal does not notice it (pid_namespaces(7)): a shell is not ended by Ctrl-C,
/// what it runs is, and <c>sleep</c> started directly is not. <see cref="IsolationOptions.UseInit"/> gives signals their usual effect.</para>
/// <para>Closing the host's side (<see cref="Stream.Dispose()"/> of the terminal) is what closing a terminal's window is: SIGHUP to the program, and the end
/// of its input.</para>
/// </remarks>
public sealed class TerminalOptions
{
    /// <summary>Width in characters, 1 to 65,535. Default: 80.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Out of range.</exception>
    public int Columns
    {
        get;
        set => field = Terminal.CheckSize(value, nameof(value));
    } = 80;

    /// <summary>Height in lines, 1 to 65,535. Default: 24.</summary>
    /// <inheritdoc cref="Columns" path="/exception"/>
    public int Rows
    {
        get;
        set => field = Terminal.CheckSize(value, nameof(value));
    } = 24;

    /// <summary>What TERM says, where the environment of <see cref="IsolationOptions"/> has no such variable. Default: <c>xterm</c>.</summary>
    /// <exception cref="ArgumentException">Empty, or with a character that an environment variable cannot have.</exception>
    public string Type
    {
        get;
        set
        {
            ArgumentException.ThrowIfNullOrEmpty(value);
            OptionsValidator.NoNul(value, nameof(value));
            field = value;
        }
    } = "xterm";

    /// <summary>
    /// The size and type of this app's own terminal, which standard output, or else standard input, is; the defaults where neither is one. For a program that
    /// is to be connected with <see cref="Terminal.AttachAsync"/>.
    /// </summary>
    public static TerminalOptions LikeConsole()
    {
        Interop.Platform.ThrowIfUnsupported();
        var result = new TerminalOptions();
        if (!ConsoleSize.TryGet(1, out var size) && !ConsoleSize.TryGet(0, out size)) return result;
        (result.Columns, result.Rows) = (size.ws_col, size.ws_row);
        if (Environment.GetEnvironmentVariable("TERM") is { Length: > 0 } type) result.Type = type;
        return result;
    }
}
