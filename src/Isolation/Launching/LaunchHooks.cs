using Isolation.Planning;

namespace Isolation.Launching;

/// <summary>Where tests reach into a start: to change its plan (fault injection) and to get at the child before it is done.</summary>
internal sealed record LaunchHooks(Action<LaunchPlan>? Plan = null, Action<PendingLaunch>? Launched = null);
