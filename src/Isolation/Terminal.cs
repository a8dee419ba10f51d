using Isolation.Interop;
using Isolation.Supervision;

namespace Isolation;

/// <summary>
/// The host's side of a program's terminal: what is written is typed there, what the program shows is read. One read and one write at a
/// time, without a thread waiting. For whoever has no terminal of their own: a web page, a test that expects and answers. <see cref="AttachAsync"/>
/// connects the one that this app runs in.
/// </summary>
/// <remarks>
/// The end of the stream is when nobody inside has the terminal open any more. Keys are bytes: 3 is Ctrl-C, 4 Ctrl-D (the end of the
/// input, at the beginning of a line), 13 Enter. The terminal echoes them unless the program has told it not to. Disposing is hanging up.
/// </remarks>
public sealed class Terminal : Stream
{
    private static readonly Task s_never = new TaskCompletionSource().Task;

    private readonly PipeReadStream _reader;
    private readonly PipeWriteStream _writer;
    private ConsoleAttachment? _attachment;

    internal Terminal(int reader, int writer) => (_reader, _writer) = (new PipeReadStream(reader), new PipeWriteStream(writer));

    /// <summary>Completes when the program has ended, whoever else may have the terminal open then.</summary>
    internal Task ProgramEnd { get; set; } = s_never;

    /// <summary>The width in characters that the program's terminal has now; the program may have changed it.</summary>
    /// <exception cref="ObjectDisposedException">The terminal has been disposed.</exception>
    public int Columns => Size.ws_col;

    /// <summary>The height in lines.</summary>
    /// <inheritdoc cref="Columns" path="/exception"/>
    public int Rows => Size.ws_row;

    /// <inheritdoc/>
    public override bool CanRead => _reader.CanRead;

    /// <inheritdoc/>
    public override bool CanWrite => _writer.CanWrite;

    /// <inheritdoc/>
    public override bool CanSeek => false;

    /// <inheritdoc/>
    public override long Length => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    /// <summary>Changes the size; what runs in the terminal's foreground gets SIGWINCH when it is another than before.</summary>
    /// <param name="columns">1 to 65,535.</param>
    /// <param name="rows">1 to 65,535.</param>
    /// <exception cref="ArgumentOutOfRangeException">Out of range.</exception>
    /// <exception cref="ObjectDisposedException">The terminal has been disposed.</exception>
    public unsafe void Resize(int columns, int rows)
    {
        var size = new winsize { ws_col = (ushort)CheckSize(columns, nameof(columns)), ws_row = (ushort)CheckSize(rows, nameof(rows)) };
        var result = _writer.Control(Linux.TIOCSWINSZ, &size);
        if (result < 0) throw Failed("set the size of a terminal", result);
    }

    /// <summary>
    /// Connects this app's own terminal: keys go to the program as they are, what the program shows appears, and the program's terminal
    /// has the size of this one. This one is in raw mode meanwhile, so Ctrl-C means the program and not the app.
    /// </summary>
    /// <remarks>
    /// <para>The terminal gets its modes back on every way out: when this ends or fails, when the app exits or has an unhandled exception, before it ends by
    /// SIGINT, SIGTERM, SIGHUP or SIGQUIT, and before it stops by SIGTSTP; SIGCONT brings the raw mode back. For an app that is
    /// killed by SIGKILL or crashes, a small process that waits for its end does it, unless somebody has changed the modes since.</para>
    /// <para>An app that handles these signals itself registers its handlers before: who cancels a signal stays connected. Nobody else may read or
    /// write this stream, or use System.Console for reading, meanwhile. One thread serves the connection.</para>
    /// <para>Where the input is no terminal, its end is typed as Ctrl-D.</para>
    /// </remarks>
    /// <param name="options">Null: standard input and output, no keys to detach.</param>
    /// <param name="cancellationToken">Ends the connection, not the program.</param>
    /// <exception cref="InvalidOperationException">It is connected already.</exception>
    /// <exception cref="IsolationException">This app's terminal cannot be set up.</exception>
    /// <exception cref="IOException">The output takes nothing any more.</exception>
    /// <exception cref="OperationCanceledException">Canceled.</exception>
    /// <exception cref="ObjectDisposedException">The terminal has been disposed, before or meanwhile.</exception>
    public async Task<TerminalEnd> AttachAsync(TerminalAttachOptions? options = null, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        using var attachment = new ConsoleAttachment(this, options ?? new TerminalAttachOptions(), ProgramEnd);
        if (Interlocked.CompareExchange(ref _attachment, attachment, null) is not null) throw new InvalidOperationException("The terminal is connected already.");
        try
        {
            return await attachment.RunAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            Volatile.Write(ref _attachment, null);
        }
    }

    /// <inheritdoc/>
    public override int Read(Span<byte> buffer) => _reader.Read(buffer);

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => _reader.Read(buffer, offset, count);

    /// <inheritdoc/>
    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => _reader.ReadAsync(buffer, cancellationToken);

    /// <inheritdoc/>
    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        _reader.ReadAsync(buffer, offset, count, cancellationToken);

    /// <inheritdoc/>
    public override void Write(ReadOnlySpan<byte> buffer) => _writer.Write(buffer);

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => _writer.Write(buffer, offset, count);

    /// <inheritdoc/>
    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => _writer.WriteAsync(buffer, cancellationToken);

    /// <inheritdoc/>
    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        _writer.WriteAsync(buffer, offset, count, cancellationToken);

    /// <inheritdoc/>
    public override void Flush()
    {
    }

    /// <inheritdoc/>
    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();

    internal static int CheckSize(int value, string name) =>
        value is >= 1 and <= ushort.MaxValue ? value : throw new ArgumentOutOfRangeException(name, value, "It is 1 to 65,535.");

    /// <summary>A descriptor of the master, non-blocking, for an attachment.</summary>
    internal int Duplicate()
    {
        var fd = _reader.Duplicate();
        return fd >= 0 ? fd : throw new IsolationException("connect a terminal", "fcntl", -fd, null, null);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            Volatile.Read(ref _attachment)?.Close();
            _reader.Dispose();
            _writer.Dispose();
        }

        base.Dispose(disposing);
    }

    private unsafe winsize Size
    {
        get
        {
            winsize size;
            var result = _writer.Control(Linux.TIOCGWINSZ, &size);
            return result == 0 ? size : throw Failed("look at the size of a terminal", result);
        }
    }

    private static IOException Failed(string what, int result) => new($"Could not {what}: {ErrnoExtensions.Describe(-result)}.", -result);
}
