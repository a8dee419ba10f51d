using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;
using Xunit;

namespace Isolation.Tests.Interop;

/// <summary>A C compiler with the headers of one architecture, used only to check claims: nothing is written anywhere.</summary>
internal sealed class CCompiler
{
    private readonly string _program;
    private readonly string[] _options;

    private CCompiler(string program, string[] options) => (_program, _options) = (program, options);

    public override string ToString() => string.Join(' ', [_program, .. _options]);

    /// <summary>Skips the calling test where there is no compiler, but fails it in CI, which promises one.</summary>
    internal static async Task<CCompiler> RequireAsync(Architecture architecture, CancellationToken cancellationToken)
    {
        var compiler = await FindAsync(architecture, cancellationToken);
        if (compiler is not null) return compiler;
        var reason = $"no C compiler with the kernel's headers for {architecture} (Debian: gcc libc6-dev, gcc-aarch64-linux-gnu libc6-dev-arm64-cross)";
        if (Environment.GetEnvironmentVariable("CI") == "true") Assert.Fail(reason);
        Assert.Skip(reason);
        return null!;
    }

    private static async Task<CCompiler?> FindAsync(Architecture architecture, CancellationToken cancellationToken)
    {
        var triple = architecture == Architecture.Arm64 ? "aarch64-linux-gnu" : "x86_64-linux-gnu";
        CCompiler[] crossing = [new(triple + "-gcc", []), new("clang", ["-ferror-limit=0", "--target=" + triple, "-isystem", $"/usr/{triple}/include"])];
        CCompiler[] candidates = architecture == RuntimeInformation.ProcessArchitecture ? [new("gcc", []), new("cc", []), .. crossing] : crossing;
        foreach (var candidate in candidates)
        {
            // Headers may be missing though the compiler is there, or a compiler for something else may go by the name.
            var macro = architecture == Architecture.Arm64 ? "__aarch64__" : "__x86_64__";
            var probe = $"#include <stddef.h>\n#include <sys/socket.h>\n#include <linux/sched.h>\n#ifndef {macro}\n#error\n#endif\n";
            try
            {
                if (await candidate.CompileAsync(probe, cancellationToken) is null) return candidate;
            }
            catch (Win32Exception)
            {
                // not installed
            }
        }

        return null;
    }

    /// <summary>Null when every claim holds, or the compiler's messages.</summary>
    internal Task<string?> CompileAsync(CSource source, CancellationToken cancellationToken) => CompileAsync(source.ToC(), cancellationToken);

    private async Task<string?> CompileAsync(string source, CancellationToken cancellationToken)
    {
        string[] arguments =
            [.. _options, "-std=gnu11", "-Wall", "-Werror", "-fsyntax-only", "-I", AppContext.BaseDirectory, "-x", "c", "-"];
        var start = new ProcessStartInfo(_program, arguments)
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
            Environment = { ["LC_ALL"] = "C" },
        };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
        var messages = process.StandardError.ReadToEndAsync(cancellationToken);
        await process.StandardInput.WriteAsync(source.AsMemory(), cancellationToken);
        process.StandardInput.Close();
        await process.WaitForExitAsync(cancellationToken);
        return process.ExitCode == 0 ? null : $"{this} says no:\n{await output}{await messages}";
    }
}
