using FluentAssertions;
using Isolation.Tests.Support;
using Xunit;

namespace Isolation.Tests;

public class SecurityCostTests
{
    [Fact(Timeout = 60_000)]
    public void Protection_makes_no_objects_once_it_has_been_used()
    {
        var (strict, none) = (Options(SecurityOptions.Default), Options(SecurityOptions.Unconfined));
        var strictBytes = Allocated(strict);
        strictBytes.Should().BePositive("a start has an object for the process");
        // Nothing at all in optimized code, as Isolation.AotCheck shows; in a debug build the arguments of each further step are an array.
        (strictBytes - Allocated(none)).Should().BeLessThan(512, "filter, capabilities and keyring are no more than bytes in a plan");

        static IsolationOptions Options(SecurityOptions security) => new("true")
        {
            Namespaces = Privilege.Possible(Namespaces.Pid | Namespaces.Mount), Security = security,
            StandardInput = StandardStream.Null, StandardOutput = StandardStream.Null, StandardError = StandardStream.Null,
        };
    }

    /// <summary>The least of many starts: now and then some cache of the runtime or a pool grows.</summary>
    private static long Allocated(IsolationOptions options)
    {
        var least = long.MaxValue;
        for (var i = 0; i < 60; i++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            var process = IsolatedProcess.Start(options);
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
            process.Dispose();
        }

        return least;
    }
}
