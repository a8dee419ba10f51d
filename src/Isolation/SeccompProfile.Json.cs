using Isolation.Filtering;

namespace Isolation;

public sealed partial record SeccompProfile
{
    /// <summary>
    /// Reads a profile in the JSON of Docker (<c>docker run --security-opt seccomp=FILE</c>) or of OCI runtimes (<c>linux.seccomp</c>
    /// of a config.json). It means what it means to runc: conditions on the kernel and the architecture are decided by this
    /// machine, those on capabilities by what each sandbox keeps; of a call with several rules, one without comparisons goes
    /// before those with some; calls that are newer than all that are named fail with ENOSYS.
    /// </summary>
    /// <param name="json">The text.</param>
    /// <param name="ignoreUnknown">
    /// Passes over syscalls, capabilities, architectures, flags and fields that it does not know, as runc does with syscalls. Default:
    /// false, they are errors: a misspelt name would leave a hole, or close a call that the program needs.
    /// </param>
    /// <exception cref="FormatException">The text is no profile. The message names the place: "syscalls[3].args[0].op".</exception>
    public static SeccompProfile Parse(string json, bool ignoreUnknown = false)
    {
        ArgumentNullException.ThrowIfNull(json);
        return ProfileReader.Read(json, ignoreUnknown, FilterCache.Native, Environment.OSVersion.Version);
    }

    /// <summary>Reads a profile from a file: see <see cref="Parse"/>.</summary>
    /// <param name="path">The file.</param>
    /// <param name="ignoreUnknown">See <see cref="Parse"/>.</param>
    /// <exception cref="FormatException">The file is no profile.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static SeccompProfile Load(string path, bool ignoreUnknown = false)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return Parse(File.ReadAllText(path), ignoreUnknown);
    }
}
