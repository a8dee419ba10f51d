namespace Isolation.Users;

/// <summary>What files of users and groups say of somebody.</summary>
/// <param name="UserId">Their number.</param>
/// <param name="GroupId">Their group's.</param>
/// <param name="OtherGroups">Those of the group file that name them as a member.</param>
/// <param name="Home">Their home folder.</param>
internal readonly record struct FoundUser(uint UserId, uint GroupId, List<uint> OtherGroups, byte[] Home);
