using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Isolation.Interop;
using Isolation.Planning;
using Isolation.Users;

namespace Isolation.Launching;

/// <summary>Who is meant, by the files that the stage has read: ids and groups for the steps that follow, and HOME.</summary>
internal sealed class UserQuestion(UserName name, IdMap users, IdMap groups) : HostQuestion
{
    private const string Step = "look up the user";

    internal required ReadFile Passwd { get; init; }

    internal ReadFile? Groups { get; set; }

    /// <summary>Where "HOME=…" goes, in the plan's data.</summary>
    internal int? Home { get; set; }

    internal LookedUpUser? Result { get; set; }

    internal IEnumerable<uint> FurtherGroups { get; set; } = [];

    /// <summary>The register that says whether it is another than root.</summary>
    internal byte Renumbered { get; set; }

    /// <summary>Once it is answered.</summary>
    internal FoundUser Found { get; private set; }

    internal override void Answer(IWaitingStage stage)
    {
        Found = UserFiles.Find(name, Content(stage, Passwd), Groups is { } file ? Content(stage, file) : default);
        if (Home is { } offset) WriteHome(stage.Data[offset..], Found.Home);
        if (Result is not { } result) return;
        CheckMapped(users, Found.UserId, "user");
        CheckMapped(groups, Found.GroupId, "group");
        stage.Register(result.User) = Found.UserId;
        stage.Register(result.Group) = Found.GroupId;
        stage.Register(Renumbered) = Found.UserId != 0 || Found.GroupId != 0 ? 1 : 0;

        // The own group first (CVE-2022-2989), and of the others those that there are.
        List<uint> all = [Found.GroupId, .. Found.OtherGroups.Where(id => groups.MayHave(id, Found.GroupId)), .. FurtherGroups];
        if (Found.OtherGroups.Count > IdentityPlanner.MaxGroups)
            throw Failure(string.Create(CultureInfo.InvariantCulture, $"The sandbox's {UserFiles.Group} has them in {Found.OtherGroups.Count} groups; {IdentityPlanner.MaxGroups} are possible"));
        stage.Register(result.GroupCount) = all.Count;
        MemoryMarshal.AsBytes(CollectionsMarshal.AsSpan(all)).CopyTo(stage.Data[(int)result.Groups.Value..]);
    }

    private static void WriteHome(Span<byte> to, ReadOnlySpan<byte> home)
    {
        if (home.Length >= IdentityPlanner.MaxHome) home = "/"u8; // longer than any path
        "HOME="u8.CopyTo(to);
        home.CopyTo(to[5..]);
        to[5 + home.Length] = 0;
    }

    private void CheckMapped(in IdMap map, uint id, string what)
    {
        if (!map.MayHave(id, id))
            throw Failure(string.Create(CultureInfo.InvariantCulture, $"The {what} id is {id}, which the {(what == "user" ? "UserMap" : "GroupMap")} does not have"));
    }

    private ReadOnlySpan<byte> Content(IWaitingStage stage, in ReadFile file)
    {
        switch ((Errno)(-stage.Result(file.Open)))
        {
            case Errno.ENOENT or Errno.ENOTDIR or Errno.ELOOP:
                return default;
            case Errno.ENXIO:
                throw NotRegular(file);
        }

        if (stage.Result(file.Check) < 0) throw NotRegular(file);
        if (stage.Result(file.Read + 1) != 0)
            throw Failure(string.Create(CultureInfo.InvariantCulture, $"The sandbox's {file.Path} is larger than {IdentityPlanner.MaxFile / 1024} KiB, or changes; use UserId and GroupId"));
        return stage.Data.Slice(file.Content, (int)stage.Result(file.Read));
    }

    private IsolationException NotRegular(in ReadFile file) => Failure($"The sandbox's {file.Path} is no regular file");

    private IsolationException Failure(string hint) => new(Step, null, 0, Shown(name), hint);

    private static string Shown(in UserName name)
    {
        var text = new StringBuilder(name.User ?? name.UserId!.Value.ToString(CultureInfo.InvariantCulture));
        if (name.HasGroup) text.Append(':').Append(name.Group ?? name.GroupId!.Value.ToString(CultureInfo.InvariantCulture));
        return text.ToString();
    }
}
