using System.Globalization;
using System.Numerics;

namespace Isolation.Samples;

internal sealed class UserStop : Stop
{
    internal override string Name => "user";

    internal override string Subject => "who is who, and who may what";

    internal override string Explanation => Environment.IsPrivilegedProcess
        ? "A map between the ids inside and outside. You are root, so every id keeps its number. What changes is what root may do: capabilities " +
          "inside count only for what belongs to the sandbox. As an ordinary user you would be root inside and yourself outside."
        : "A map between the ids inside and outside. The shell is root in its own eyes and has every capability, but these count only for what " +
          "belongs to the sandbox. Outside it is still you, and may do what you may.";

    protected override Namespaces Namespaces => Namespaces.User;

    // The host's name belongs to the host's UTS namespace. It is set to what it is already, in case that should work.
    protected override string Script => """
        echo "user=$(id -u)"
        while read -r inside outside count; do echo "map=$inside $outside $count"; done < /proc/self/uid_map
        while read -r name value; do [ "$name" = CapEff: ] && echo "capabilities=$value"; done < /proc/self/status
        if command -v hostname > /dev/null; then
            if hostname "$(hostname)" 2> /dev/null; then echo "rename=allowed"; else echo "rename=refused"; fi
        fi
        """;

    protected override void Configure(IsolationOptions options) => options.Security.Capabilities = CapabilitySets.All;

    protected override IEnumerable<string[]> Rows(Witness shell, string process)
    {
        yield return ["user id of the shell", shell["user"], HostView.Status(process, "Uid").Split(' ')[0]];
        foreach (var map in shell.All("map"))
        {
            var fields = map.Split(' ');
            yield return ["id map", Range(fields[0], fields[2]), Range(fields[1], fields[2])];
        }

        yield return ["capabilities", Count(shell["capabilities"]) + " over the sandbox", "none over the host"];
        if (shell["rename"] != "-") yield return ["setting the host's name", shell["rename"], HostView.HostName + ", as before"];
    }

    private static string Range(string first, string count) =>
        count == "1" ? first : $"{first} to {long.Parse(first, CultureInfo.InvariantCulture) + long.Parse(count, CultureInfo.InvariantCulture) - 1}";

    private static string Count(string mask) =>
        HostView.Text(BitOperations.PopCount(ulong.Parse(mask, NumberStyles.HexNumber, CultureInfo.InvariantCulture)));
}
