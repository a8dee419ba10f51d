namespace Isolation.Planning;

/// <summary>What a start is to be like beside its options.</summary>
/// <param name="Suspended">The stage waits before it executes the program.</param>
/// <param name="Detached">It is to outlive the host, and this is what is known of it before: the first of the plan's data.</param>
internal readonly record struct PlanVariant(bool Suspended = false, DetachedRecord? Detached = null);
