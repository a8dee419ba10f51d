namespace Isolation;

/// <summary>Which owner a file is shown with: host ids from <paramref name="HostId"/> on appear as ids from <paramref name="ShownId"/> on.</summary>
/// <param name="HostId">First user and group id, as stored on the disk.</param>
/// <param name="ShownId">The host's own number of the user who is to own them. In an identity-mapped sandbox it is the number inside.</param>
/// <param name="Count">How many ids. Default: 1.</param>
public sealed record IdMapping(uint HostId, uint ShownId, uint Count = 1);
