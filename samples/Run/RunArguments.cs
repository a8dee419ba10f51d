using Isolation;

namespace Isolation.Samples;

/// <summary>The command line, as <c>docker run</c> has it.</summary>
internal sealed class RunArguments
{
    internal const string Usage = """
        Runs a program of a container image, without Docker.

        Usage: run [OPTIONS] IMAGE [COMMAND [ARGUMENT...]]

        IMAGE is an archive (docker save, or an OCI layout), the folder of an OCI layout, or a folder that holds a file tree.

          -i, --interactive        the program reads from this standard input
          -t, --tty                the program has a terminal; -it connects it to this one, keys and all
              --rm                 throws away what the program changed; without it, changes are kept in a folder
          -v, --volume SRC:DST[:ro]  shows a folder or file of this machine
          -w, --workdir DIR        where the program starts
          -u, --user USER[:GROUP]  who the program is, by the image's names or by numbers
          -e, --env NAME=VALUE     an environment variable; NAME alone takes this machine's value
              --read-only          the program cannot write to the image's files
          -h, --hostname NAME      the name of the machine that the program sees

        Images are kept, unpacked, in a store: /var/lib/isolation/images for root, else ~/.local/share/isolation/images, or where
        ISOLATION_STORE says; changes beside it. The exit code is the program's; 125: it could not be set up, 126: not be invoked, 127: not be found.
        """;

    internal required string Image { get; init; }

    internal List<string> Command { get; } = [];

    internal bool Interactive { get; private set; }

    internal bool Terminal { get; private set; }

    internal bool Remove { get; private set; }

    internal bool ReadOnly { get; private set; }

    internal string? HostName { get; private set; }

    internal string? WorkingDirectory { get; private set; }

    internal string? User { get; private set; }

    internal List<BindMount> Volumes { get; } = [];

    internal List<KeyValuePair<string, string>> Environment { get; } = [];

    internal static RunArguments Parse(string[] args)
    {
        var result = new RunArguments { Image = FindImage(args, out var options) };
        result.Command.AddRange(args[(options.Count + 1)..]);
        for (var i = 0; i < options.Count; i++)
        {
            var (name, value) = Split(options[i]);
            string Value() => value ?? (++i < options.Count ? options[i] : throw new UsageException($"{name} needs a value."));
            switch (name)
            {
                case "-i" or "--interactive":
                    result.Interactive = true;
                    break;
                case "--rm":
                    result.Remove = true;
                    break;
                case "--read-only":
                    result.ReadOnly = true;
                    break;
                case "-v" or "--volume":
                    result.Volumes.Add(Volume(Value()));
                    break;
                case "-w" or "--workdir":
                    result.WorkingDirectory = Value() is ['/', ..] folder ? folder : throw new UsageException("--workdir must be an absolute path.");
                    break;
                case "-u" or "--user":
                    result.User = Value();
                    break;
                case "-e" or "--env":
                    result.AddVariable(Value());
                    break;
                case "-h" or "--hostname":
                    result.HostName = Value();
                    break;
                case "-t" or "--tty":
                    result.Terminal = true;
                    break;
                case "-it" or "-ti":
                    result.Terminal = result.Interactive = true;
                    break;
                default:
                    throw new UsageException($"there is no option {name}.");
            }
        }

        return result;
    }

    /// <summary>The first word that is neither an option nor an option's value: what follows it is the program's, options and all.</summary>
    private static string FindImage(string[] args, out ArraySegment<string> options)
    {
        for (var i = 0; i < args.Length; i++)
        {
            if (!args[i].StartsWith('-') || args[i] == "-")
            {
                options = new ArraySegment<string>(args, 0, i);
                return args[i];
            }

            if (args[i] is "-v" or "--volume" or "-w" or "--workdir" or "-u" or "--user" or "-e" or "--env" or "-h" or "--hostname") i++;
        }

        throw new UsageException("no image is given.");
    }

    private static (string Name, string? Value) Split(string option)
    {
        if (option.StartsWith("--", StringComparison.Ordinal) && option.IndexOf('=') is > 0 and var equals) return (option[..equals], option[(equals + 1)..]);
        // -eNAME=VALUE and -v/a:/b, as every Unix program takes them
        return option.Length > 2 && option[0] == '-' && option[1] is 'v' or 'w' or 'u' or 'e' or 'h' ? (option[..2], option[2..]) : (option, null);
    }

    private static BindMount Volume(string text)
    {
        var parts = text.Split(':');
        if (parts.Length is not (2 or 3)) throw new UsageException($"a volume is SRC:DST or SRC:DST:ro, not '{text}'.");
        if (!parts[0].Contains('/') && parts[0] != ".") throw new UsageException($"'{parts[0]}' is a volume's name; there are only folders and files here: ./{parts[0]}");
        var readOnly = false;
        foreach (var option in parts.Length == 3 ? parts[2].Split(',') : [])
        {
            if (option is not ("ro" or "rw" or "z" or "Z")) throw new UsageException($"a volume is ro or rw, not '{option}'.");
            readOnly |= option == "ro";
        }

        if (!Path.Exists(parts[0])) Directory.CreateDirectory(parts[0]); // as Docker does
        return new BindMount(parts[0], parts[1]) { Writable = !readOnly };
    }

    private void AddVariable(string text)
    {
        var equals = text.IndexOf('=');
        if (equals == 0 || text.Length == 0) throw new UsageException($"an environment variable is NAME=VALUE, not '{text}'.");
        if (equals > 0) Environment.Add(new(text[..equals], text[(equals + 1)..]));
        else if (System.Environment.GetEnvironmentVariable(text) is { } value) Environment.Add(new(text, value));
    }
}
