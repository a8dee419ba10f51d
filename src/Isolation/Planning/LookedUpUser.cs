namespace Isolation.Planning;

/// <summary>Where the host puts who a named user is.</summary>
/// <param name="User">Register of the user id.</param>
/// <param name="Group">Register of the group id.</param>
/// <param name="GroupCount">Register of the number of all groups.</param>
/// <param name="Groups">All groups, in the plan's data.</param>
internal readonly record struct LookedUpUser(byte User, byte Group, byte GroupCount, Argument Groups);
