namespace Isolation.Planning;

/// <summary>What a start takes over from elsewhere, once it is known what there is.</summary>
/// <param name="Namespaces">The kinds that are joined: those that were asked for and are not the host's own anyway.</param>
/// <param name="Kinds">The kind of each descriptor, or null for all of them by one pidfd.</param>
/// <param name="Name">What is joined, for people.</param>
/// <param name="Enters">The program goes where another is, and not only shares something with it.</param>
/// <param name="Source">Opens the descriptors.</param>
internal sealed record JoinedNamespaces(Namespaces Namespaces, Namespaces[]? Kinds, string? Name, bool Enters, NamespaceSource Source);
