namespace Isolation.Images.Users;

/// <summary>Whom a program runs as, by numbers, and their home folder.</summary>
internal readonly record struct ImageUser(uint UserId, uint GroupId, string Home);
