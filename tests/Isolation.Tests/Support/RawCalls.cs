using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using FluentAssertions;
using Isolation.Filtering;
using Xunit;

namespace Isolation.Tests.Support;

/// <summary>
/// A C program, built on the spot, that makes the syscalls it is told and prints what comes of each: "0", "-1", or whatever
/// the kernel returns. An instance for a test class: it lies in a folder below /tmp, which its sandboxes see.
/// </summary>
public sealed class RawCalls : IDisposable
{
    // calls [native|int80|x32] NUMBER[,ARGUMENT…]…; "here" stands for the address of a zeroed page, "'text" for that of the text.
    private const string Source = """
        #include <stdio.h>
        #include <stdlib.h>
        #include <string.h>
        #include <signal.h>
        #include <unistd.h>
        static char page[4096];
        static void caught(int number, siginfo_t *info, void *context) {
          printf("SIGSYS %d\n", info->si_syscall);
          fflush(stdout);
          _exit(7);
        }
        static long native(unsigned long nr, unsigned long *a) {
        #if defined(__x86_64__)
          long result;
          register unsigned long r10 __asm__("r10") = a[3], r8 __asm__("r8") = a[4], r9 __asm__("r9") = a[5];
          __asm__ volatile("syscall" : "=a"(result) : "a"(nr), "D"(a[0]), "S"(a[1]), "d"(a[2]), "r"(r10), "r"(r8), "r"(r9) : "rcx", "r11", "memory");
          return result;
        #else
          register unsigned long x8 __asm__("x8") = nr, x0 __asm__("x0") = a[0], x1 __asm__("x1") = a[1], x2 __asm__("x2") = a[2],
            x3 __asm__("x3") = a[3], x4 __asm__("x4") = a[4], x5 __asm__("x5") = a[5];
          __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
          return x0;
        #endif
        }
        static long foreign(unsigned long nr, unsigned long *a) {
          long result = -38;
        #if defined(__x86_64__)
          __asm__ volatile("int $0x80" : "=a"(result) : "a"(nr), "b"(a[0]), "c"(a[1]), "d"(a[2]) : "memory", "r8", "r9", "r10", "r11");
        #endif
          return (int)result;
        }
        int main(int count, char **words) {
          int way = 0;
          for (int i = 1; i < count; i++) {
            if (!strcmp(words[i], "native")) { way = 0; continue; }
            if (!strcmp(words[i], "int80")) { way = 1; continue; }
            if (!strcmp(words[i], "x32")) { way = 2; continue; }
            if (!strcmp(words[i], "catch")) {
              struct sigaction action = { .sa_sigaction = caught, .sa_flags = SA_SIGINFO };
              sigaction(SIGSYS, &action, 0);
              continue;
            }
            unsigned long a[7] = {0};
            int n = 0;
            for (char *word = strtok(words[i], ","); word && n < 7; word = strtok(0, ","))
              a[n++] = word[0] == '\'' ? (unsigned long)(word + 1) : strcmp(word, "here") ? strtoul(word, 0, 0) : (unsigned long)page;
            long result = way == 1 ? foreign(a[0], a + 1) : native(way == 2 ? a[0] | 0x40000000 : a[0], a + 1);
            printf("%ld\n", result);
            fflush(stdout);
          }
          return 0;
        }
        """;

    private readonly TemporaryFolder _folder = new("calls-");

    public RawCalls()
    {
        foreach (var compiler in (string[])["gcc", "cc", "clang"])
        {
            if (Programs.Find(compiler) is not { } found) continue;
            File.SetUnixFileMode(_folder.Path, (UnixFileMode)0b111_101_101);
            var start = new ProcessStartInfo(found, ["-O1", "-o", _folder.Path + "/calls", _folder.File("calls.c", Source)]) { RedirectStandardError = true };
            using var process = Process.Start(start)!;
            var messages = process.StandardError.ReadToEnd();
            process.WaitForExit();
            process.ExitCode.Should().Be(0, messages);
            Path = _folder.Path + "/calls";
            return;
        }
    }

    private string? Path { get; }

    /// <summary>The number that a call has on this machine, for <see cref="Options"/>.</summary>
    internal static string Call(string name, params ReadOnlySpan<string> arguments)
    {
        var number = SyscallNames.Number(name, FilterCache.Native);
        Assert.SkipUnless(number >= 0, $"This machine has no {name}.");
        return string.Join(',', [number.ToString(CultureInfo.InvariantCulture), .. arguments]);
    }

    internal static void RequireX64() =>
        Assert.SkipUnless(RuntimeInformation.ProcessArchitecture == Architecture.X64, "Only x64 machines have these ways to make a call.");

    internal IsolationOptions Options(SeccompProfile? profile, params IEnumerable<string> words)
    {
        Assert.SkipUnless(Path is not null, "no C compiler (Debian: gcc libc6-dev)");
        return new IsolationOptions(Path!, words) { StandardInput = StandardStream.Null, Filesystem = { PrivateTmp = false }, Security = { Seccomp = profile } };
    }

    /// <summary>What comes of the calls, and how the program ended.</summary>
    internal async Task<(string[] Results, ProcessExitStatus Status)> Run(SeccompProfile? profile, params IEnumerable<string> words)
    {
        var output = await IsolatedProcess.RunAndCaptureTextAsync(Options(profile, words), TestContext.Current.CancellationToken);
        output.StandardError.Should().BeEmpty();
        return (output.StandardOutput.Split('\n', StringSplitOptions.RemoveEmptyEntries), output.ExitStatus);
    }

    /// <summary>What comes of one call.</summary>
    internal async Task<string> Run(SeccompProfile? profile, string call)
    {
        var (results, status) = await Run(profile, [call]);
        return results.Length == 1 ? results[0] : status.ToString();
    }

    public void Dispose() => _folder.Dispose();
}
