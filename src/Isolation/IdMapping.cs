namespace Isolation;

/// <summary>
/// A range of ids that has other numbers elsewhere: in <see cref="UserOptions.UserMap"/> and <see cref="UserOptions.GroupMap"/> host ids from
/// <paramref name="HostId"/> on are ids from <paramref name="ShownId"/> on inside; at a <see cref="BindMount"/>, files of theirs are shown with that owner.
/// </summary>
/// <param name="HostId">The first id on the host: for a bind mount, as stored on the disk.</param>
/// <param name="ShownId">
/// The first id that it is shown as: the number inside; for a bind mount, the host's own number of the user who is to own the files, which in an
/// identity-mapped sandbox is the number inside.
/// </param>
/// <param name="Count">How many ids. Default: 1.</param>
public sealed record IdMapping(uint HostId, uint ShownId, uint Count = 1);
