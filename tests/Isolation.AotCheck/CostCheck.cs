using System.Runtime.CompilerServices;
using Isolation;

/// <summary>Filter, capabilities and keyring are bytes in a plan, and no managed memory once they have been used.</summary>
internal static class CostCheck
{
    internal static void Run()
    {
        var (strict, none) = (Options(SecurityOptions.Default), Options(SecurityOptions.Unconfined));
        var (with, without) = (Allocated(strict), Allocated(none));
        // Code that is compiled at run time is not yet optimized, and has the arguments of each step in an array.
        if (!RuntimeFeature.IsDynamicCodeCompiled) Expectation.Check(without, with);

        using var process = IsolatedProcess.Start(strict);
        Expectation.Check(SessionKeyring.Empty, process.Enforced.SessionKeyring);
        Expectation.Check(true, process.Enforced.ToString().Contains("none by exec", StringComparison.Ordinal));
        Expectation.Check(true, strict.Security.ToString().Contains("mkdir", StringComparison.Ordinal));
    }

    private static IsolationOptions Options(SecurityOptions security) => new("true") { Security = security };

    private static long Allocated(IsolationOptions options)
    {
        var least = long.MaxValue;
        for (var i = 0; i < 30; i++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            var process = IsolatedProcess.Start(options);
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
            process.Dispose();
        }

        return least;
    }
}
