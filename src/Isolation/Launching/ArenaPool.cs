namespace Isolation.Launching;

/// <summary>Arenas between starts. Bounded: a burst of starts at once leaves no more than this behind.</summary>
internal static class ArenaPool
{
    private static readonly LaunchArena?[] s_arenas = new LaunchArena?[16];

    internal static LaunchArena Rent()
    {
        for (var i = 0; i < s_arenas.Length; i++)
            if (s_arenas[i] is not null && Interlocked.Exchange(ref s_arenas[i], null) is { } arena) return arena;
        return new LaunchArena();
    }

    internal static void Return(LaunchArena arena)
    {
        arena.Plan.Clear();
        // One start with much to carry is no reason to keep so much memory; and whoever could trace the stage may have kept a way to it.
        if (arena.IsOnce || MemoryExposure.IsThere)
        {
            arena.Dispose();
            return;
        }

        for (var i = 0; i < s_arenas.Length; i++)
            if (s_arenas[i] is null && Interlocked.CompareExchange(ref s_arenas[i], arena, null) is null) return;
        arena.Dispose();
    }
}
