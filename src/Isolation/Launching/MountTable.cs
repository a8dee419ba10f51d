using System.Buffers.Text;
using System.Globalization;
using System.Text;
using Isolation.Interop;
using Isolation.Planning;

namespace Isolation.Launching;

/// <summary>
/// The host's mounts, read for one start where the kernel has no mount_setattr(2), and watched until the child has its copy of
/// them. proc_pid_mountinfo(5).
/// </summary>
internal sealed class MountTable : IDisposable
{
    private const string Step = "look at the host's mounts";

    // Of the thread that clones: it is its namespace that the child gets a copy of.
    private const string File = "/proc/thread-self/mountinfo";

    private int _file;

    private MountTable(int file) => _file = file;

    internal HostMounts Mounts { get; private set; } = null!;

    internal static MountTable Read(IsolationOptions options)
    {
        var file = Kernel.AboveStandard(Kernel.open(File, Linux.O_RDONLY));
        if (file < 0) throw LaunchFailure.Host(Step, "openat", -file, File);
        var table = new MountTable(file);
        try
        {
            table.Mounts = new HostMounts(Parse(ReadAll(file)), file);
            foreach (var path in MountPlanner.HostSources(options)) Look(path, table.Mounts.Sources);
            return table;
        }
        catch
        {
            table.Dispose();
            throw;
        }
    }

    /// <summary>Something was mounted, unmounted or remounted since the mounts were read; the kernel says so once.</summary>
    internal bool HasChanged()
    {
        Span<pollfd> wait = [new pollfd { fd = _file, events = Linux.POLLPRI }];
        return Kernel.poll(wait, TimeSpan.Zero) != 0 && wait[0].revents != 0;
    }

    internal static IsolationException Changed() => LaunchFailure.Host(Step, null, (int)Errno.EAGAIN, File,
        "Something was mounted or unmounted on the host while the sandbox started; without mount_setattr (Linux 5.12) the start has to be tried again");

    public void Dispose()
    {
        if (_file >= 0) _ = Kernel.close(_file);
        _file = -1;
    }

    internal static List<ListedMount> Parse(ReadOnlySpan<byte> text)
    {
        var found = new List<ListedMount>();
        foreach (var range in text.Split((byte)'\n'))
        {
            // 36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue
            var line = text[range];
            if (line.IsEmpty) continue; // after the last
            var (id, parent, point, options, index) = (-1, -1, default(Range), default(Range), 0);
            foreach (var field in line.Split((byte)' '))
            {
                switch (index++)
                {
                    case 0 when Utf8Parser.TryParse(line[field], out int number, out _):
                        id = number;
                        break;
                    case 1 when Utf8Parser.TryParse(line[field], out int number, out _):
                        parent = number;
                        break;
                    case 4:
                        point = field;
                        break;
                    case 5:
                        options = field;
                        break;
                }
            }

            if (index < 7 || id < 0 || parent < 0) throw LaunchFailure.Host(Step, null, (int)Errno.EINVAL, File, "The kernel's list of mounts cannot be read");
            found.Add(new ListedMount(id, parent, Unescape(line[point]), Flags(line[options])));
        }

        return found;
    }

    /// <summary>The flags that a remount sets anew. It leaves those of access times as they are, if none of them is named.</summary>
    private static ulong Flags(ReadOnlySpan<byte> options)
    {
        var flags = 0ul;
        foreach (var range in options.Split((byte)','))
        {
            var option = options[range];
            if (option.SequenceEqual("ro"u8)) flags |= Linux.MS_RDONLY;
            else if (option.SequenceEqual("nosuid"u8)) flags |= Linux.MS_NOSUID;
            else if (option.SequenceEqual("nodev"u8)) flags |= Linux.MS_NODEV;
            else if (option.SequenceEqual("noexec"u8)) flags |= Linux.MS_NOEXEC;
            else if (option.SequenceEqual("nosymfollow"u8)) flags |= Linux.MS_NOSYMFOLLOW;
        }

        return flags;
    }

    /// <summary>Blanks, tabs, line feeds and backslashes are written as a backslash and three octal digits.</summary>
    private static string Unescape(ReadOnlySpan<byte> field)
    {
        if (!field.Contains((byte)'\\')) return Encoding.UTF8.GetString(field);
        var bytes = new List<byte>(field.Length);
        for (var i = 0; i < field.Length; i++)
        {
            if (field[i] != '\\' || i + 3 >= field.Length)
            {
                bytes.Add(field[i]);
                continue;
            }

            bytes.Add((byte)((field[i + 1] - '0') * 64 + (field[i + 2] - '0') * 8 + field[i + 3] - '0'));
            i += 3;
        }

        return Encoding.UTF8.GetString([.. bytes]);
    }

    private static byte[] ReadAll(int file)
    {
        using var all = new MemoryStream();
        var buffer = new byte[16 * 1024];
        while (true)
        {
            var read = Kernel.read(file, buffer);
            if (read < 0) throw LaunchFailure.Host(Step, "read", (int)-read, File);
            if (read == 0) return all.ToArray();
            all.Write(buffer, 0, (int)read);
        }
    }

    /// <summary>What cannot be looked at here cannot be taken by the stage either, and its error says why.</summary>
    private static void Look(string path, Dictionary<string, HostSource> sources)
    {
        var file = Kernel.open(path, Linux.O_PATH);
        if (file < 0) return;
        var real = new FileInfo(string.Create(CultureInfo.InvariantCulture, $"/proc/self/fd/{file}")).LinkTarget;
        if (real is not null && Kernel.statx(file, Linux.STATX_TYPE | Linux.STATX_INO, out var found) == 0)
            sources[path] = new HostSource(real, found.stx_ino, found.stx_dev_major | (ulong)found.stx_dev_minor << 32);
        _ = Kernel.close(file);
    }
}
