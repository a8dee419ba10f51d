using Isolation.Images.Archives;
using Isolation.Images.Unpacking;
using Isolation.Users;

namespace Isolation.Images;

/// <summary>An image of a store.</summary>
public sealed class Image
{
    private const string DefaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

    private readonly ImageStore _store;
    private readonly string[] _layers;

    internal Image(ImageStore store, Digest digest, Digest[] diffIds, string[] references, ImageConfig config)
    {
        _store = store;
        (Digest, References, Config, DiffIds) = (digest.ToString(), references, config, diffIds);
        _layers = [.. diffIds.Select(store.LayerFolder)];
    }

    /// <summary>
    /// Which image it is: the digest of its configuration, <c>sha256:</c> and 64 digits, which Docker shows as the image's id.
    /// It is the same however the image was stored and compressed.
    /// </summary>
    public string Digest { get; }

    /// <summary>Its names, without what Docker implies: <c>busybox:latest</c>. Those at the time when it was asked for.</summary>
    public IReadOnlyList<string> References { get; }

    /// <summary>How its programs are to be run.</summary>
    public ImageConfig Config { get; }

    /// <summary>
    /// The folders of its layers, lowest first, in the format of overlayfs, for <see cref="Root.Layers"/>. They
    /// are shared with other images: nothing in them may be changed. They stay until the store is disposed.
    /// </summary>
    /// <exception cref="ImageException">The image has been removed meanwhile.</exception>
    public IReadOnlyList<string> Layers
    {
        get
        {
            _store.KeepInUse(this);
            return VisibleLayers.Of(_layers);
        }
    }

    internal Digest[] DiffIds { get; }

    /// <summary>
    /// Options that run a program of the image as Docker would: its entrypoint with the given command or its own, its
    /// environment, user and working directory, on a root of its layers to which changes are possible and thrown away.
    /// Everything else is as strict as by default. Of the environment, HOME is that of the user and PATH the usual one, where
    /// the image says nothing. Who the user is (<see cref="UserOptions.Name"/>) is looked up in the image's own files at each start, which
    /// fails when they do not have it.
    /// </summary>
    /// <param name="command">Takes the place of <see cref="ImageConfig.Command"/>.</param>
    /// <exception cref="ArgumentException">There is no command, neither given nor in the image.</exception>
    /// <exception cref="ImageException">The image names a user that cannot be, or has been removed meanwhile.</exception>
    public IsolationOptions CreateOptions(params IEnumerable<string> command)
    {
        ArgumentNullException.ThrowIfNull(command);
        string[] given = [.. command];
        string[] all = [.. Config.Entrypoint, .. given.Length > 0 ? given : Config.Command];
        if (all.Length == 0 || all[0].Length == 0) throw new ArgumentException("The image says no program to run; give one.", nameof(command));
        var layers = Layers;
        if (layers.Count == 0) throw new ImageException("has no layers, and so no file to run");
        var user = Config.User ?? "0";
        if (!UserName.TryParse(user, out _, out var problem))
            throw new ImageException($"wants to run as {ImageException.Printable(user)}, which {problem}", "Set Name of the options' User yourself");
        var options = new IsolationOptions(all[0], all[1..])
        {
            WorkingDirectory = Config.WorkingDirectory,
            Environment = { ["PATH"] = DefaultPath, ["LANG"] = null },
        };
        foreach (var (name, value) in Config.Environment) options.Environment[name] = value;
        options.Filesystem.Root = Root.Layers(layers);
        // Docker makes the folder where an image does not have it.
        if (Config.WorkingDirectory != "/" && !Config.WorkingDirectory.StartsWith("/proc", StringComparison.Ordinal))
            options.Filesystem.Mounts.Add(new DirectoryMount(Config.WorkingDirectory));
        options.User.Name = user;
        return options;
    }

    /// <summary>Its first name, or its digest.</summary>
    public override string ToString() => References.Count > 0 ? References[0] : Digest;
}
