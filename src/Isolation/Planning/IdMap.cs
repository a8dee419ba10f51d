using System.Globalization;
using System.Text;
using Isolation.Interop;

namespace Isolation.Planning;

/// <summary>How the ids of one kind, of users or of groups, get into the sandbox's user namespace.</summary>
internal readonly struct IdMap
{
    private readonly IReadOnlyList<IdMapping>? _ranges;
    private readonly string _identity;
    private readonly uint _own;

    private IdMap(IReadOnlyList<IdMapping>? ranges, bool inNamespace, bool privileged, string identity, uint own)
    {
        (_ranges, _identity, _own) = (ranges, identity, own);
        Writer = !inNamespace ? MapWriter.Nobody : privileged ? MapWriter.Host :
            ranges is null || ranges.Count == 1 && ranges[0].Count == 1 && ranges[0].HostId == own ? MapWriter.Child : MapWriter.Helper;
    }

    internal MapWriter Writer { get; }

    internal static IdMap OfUsers(IsolationOptions options, in HostFacts facts) =>
        new(options.User.UserMap, (options.Namespaces & Namespaces.User) != 0, CanMapEverything(facts), facts.UserMap, facts.UserId);

    internal static IdMap OfGroups(IsolationOptions options, in HostFacts facts) =>
        new(options.User.GroupMap, (options.Namespaces & Namespaces.User) != 0, CanMapEverything(facts), facts.GroupMap, facts.GroupId);

    /// <summary>
    /// Who the set-up is done as, where that is not who the child is born as: who has no id in a user namespace cannot make files in
    /// it (EOVERFLOW). Its root, or whoever there is.
    /// </summary>
    internal uint? SetUpId
    {
        get
        {
            if (_ranges is null || Writer is MapWriter.Nobody) return null;
            var wanted = UserValidator.Has(_ranges, 0) ? 0 : _ranges[0].ShownId;
            foreach (var range in _ranges)
                if (wanted >= range.ShownId && wanted - range.ShownId < range.Count) return range.HostId + (wanted - range.ShownId) == _own ? null : wanted;
            return null;
        }
    }

    /// <summary>The host's own number of an id that is there inside.</summary>
    internal uint ToHost(uint inside)
    {
        if (Writer == MapWriter.Child) return _own;
        if (_ranges is not null)
            foreach (var range in _ranges)
                if (inside >= range.ShownId && inside - range.ShownId < range.Count) return range.HostId + (inside - range.ShownId);
        return inside;
    }

    /// <summary>Whether an id is there inside, as far as can be told before.</summary>
    internal bool MayHave(uint inside, uint alone) => _ranges is not null ? UserValidator.Has(_ranges, inside) : Writer != MapWriter.Child || inside == alone;

    /// <summary>As uid_map has it: inside, outside, count.</summary>
    /// <param name="alone">The number of the only id, where there is no other.</param>
    /// <param name="separator">What follows each mapping.</param>
    internal string Text(uint alone, char separator = '\n')
    {
        if (_ranges is null) return Writer == MapWriter.Host ? _identity : string.Create(CultureInfo.InvariantCulture, $"{alone} {_own} 1\n");
        var text = new StringBuilder();
        foreach (var range in _ranges) text.Append(CultureInfo.InvariantCulture, $"{range.ShownId} {range.HostId} {range.Count}{separator}");
        if (text.Length >= Environment.SystemPageSize)
            throw UserValidator.Invalid($"has a map of ids of {text.Length} characters; the kernel takes {Environment.SystemPageSize - 1}");
        return text.ToString();
    }

    /// <summary>For a user namespace inside that which <see cref="Text"/> has made: every id under its own number, and the only one under the wanted one.</summary>
    internal string InnerText(uint wanted, uint alone)
    {
        if (_ranges is null) return Writer == MapWriter.Host ? _identity : string.Create(CultureInfo.InvariantCulture, $"{wanted} {alone} 1\n");
        if (Writer == MapWriter.Child) return string.Create(CultureInfo.InvariantCulture, $"{wanted} {_ranges[0].ShownId} 1\n");
        var text = new StringBuilder();
        foreach (var range in _ranges) text.Append(CultureInfo.InvariantCulture, $"{range.ShownId} {range.ShownId} {range.Count}\n");
        return text.ToString();
    }

    /// <summary>As <see cref="Text"/> or, where it counts, <see cref="InnerText"/> has it.</summary>
    internal IReadOnlyList<IdMapping> Mappings(uint alone)
    {
        if (_ranges is not null) return [.. _ranges];
        var ids = Text(alone).Split((char[])[' ', '\n'], StringSplitOptions.RemoveEmptyEntries).Select(static number => uint.Parse(number, CultureInfo.InvariantCulture)).Chunk(3);
        return [.. ids.Select(static three => new IdMapping(three[1], three[0], three[2]))];
    }

    private static bool CanMapEverything(in HostFacts facts) => facts.Has(Linux.CAP_SETUID) && facts.Has(Linux.CAP_SETGID);
}
