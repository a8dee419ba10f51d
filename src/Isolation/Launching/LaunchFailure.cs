using System.Text;
using Isolation.Interop;
using Isolation.Planning;

namespace Isolation.Launching;

/// <summary>Turns what went wrong into an <see cref="IsolationException"/>.</summary>
internal static class LaunchFailure
{
    /// <summary>A call of the host itself.</summary>
    internal static IsolationException Host(string step, string? syscall, int errno, string? path = null, string? hint = null) =>
        new(step, syscall, errno, path, hint ?? FailureHints.ForHost((Errno)errno));

    /// <summary>The clone that was to make the child.</summary>
    internal static IsolationException OfClone(int errno, ulong flags, bool legacy) =>
        new("create the sandbox's first process", legacy ? "clone" : "clone3", errno, PlanPrinter.CloneFlags(flags & ~Linux.CLONE_FILES), FailureHints.ForClone((Errno)errno, flags));

    /// <summary>A step of the stage, by what the arena says.</summary>
    internal static IsolationException OfStage(LaunchArena arena, IsolationOptions? options)
    {
        if (arena.SpawnError is < 0 and var error)
            return Host("start the stage in the child", "execveat", -error, null,
                error == -(int)Errno.EACCES ? "A security module or vm.memfd_noexec=2 forbids executing memory files" : null);
        var plan = arena.Plan;
        var steps = plan.Steps;
        var failed = arena.Header.Failed;
        if (failed < 0)
        {
            var current = Math.Min((int)arena.Header.Current, steps.Length - 1);
            return new IsolationException(steps[current].Label, Name(steps[current]), 0, steps[current].Path,
                "The child was killed during this step, by its own seccomp profile, by somebody else, or by the kernel for lack of memory");
        }

        ref var step = ref steps[failed];
        var execution = plan.Execution;
        if (execution.Count > 0 && failed >= execution.First) return OfExecution(arena, step, options!);
        if (step.Kind == StepKind.Fork) return OfClone(arena.Header.Error, step.Values[0], legacy: true);
        return new IsolationException(step.Label, Name(step), arena.Header.Error, step.Path, FailureHints.ForStep(step, (Errno)arena.Header.Error));
    }

    private static string? Name(in Step step) => step.Kind == StepKind.Syscall ? step.Call.ToString() : null;

    private static IsolationException OfExecution(LaunchArena arena, in Step step, IsolationOptions options)
    {
        const string label = "execute the program";
        var execution = arena.Plan.Execution;
        var errno = (Errno)arena.Header.Error;
        if (step.Kind == StepKind.Syscall && step.Call == Sys.execve)
            return new IsolationException(label, "execve", (int)errno, step.Path, FailureHints.ForExecution(errno, step.Path!));

        // Every candidate was passed over: the most telling one is the first that exists.
        for (var i = 0; i < execution.Count; i++)
        {
            var path = arena.Plan.Steps[execution.First + i].Path!;
            var result = (Errno)(-arena.Result(execution.First + i));
            if (result == Errno.EACCES) return new IsolationException(label, "execve", (int)result, path, Denied(arena, i, path));
        }

        for (var i = 0; i < execution.Count; i++)
        {
            if (arena.Result(execution.FirstProbe + 2 * i) < 0) continue;
            var path = arena.Plan.Steps[execution.First + i].Path!;
            return new IsolationException(label, "execve", (int)Errno.ENOENT, path, Missing(Head(arena, i), path));
        }

        var searched = !options.FileName.Contains('/');
        var first = (Errno)(-arena.Result(execution.First));
        return new IsolationException(label, "execve", searched ? (int)Errno.ENOENT : (int)first, options.FileName, searched
            ? $"No folder of the sandbox's PATH has it; looked for {string.Join(", ", Candidates(arena))}"
            : first == Errno.ENOTDIR ? "A part of the path is not a folder" : "There is no such file inside the sandbox (private folders such as /tmp start empty)");
    }

    private static string Denied(LaunchArena arena, int candidate, string path)
    {
        var read = arena.Result(arena.Plan.Execution.FirstProbe + 2 * candidate + 1);
        if (arena.Result(arena.Plan.Execution.FirstProbe + 2 * candidate) >= 0 && read == -(long)Errno.EISDIR) return $"{path} is a folder";
        if (MayExecute(arena, candidate) && LandlockHints.ForExecution(arena.Plan, path, Interpreter(Head(arena, candidate))) is { } hint) return hint;
        return "The file is not executable for the sandbox's user, or lies on a mount without exec, or a folder on the way is closed to that user";
    }

    /// <summary>Whether the file itself can be executed by the sandbox's user, as far as access(2) says, which is asked only under Landlock.</summary>
    private static bool MayExecute(LaunchArena arena, int candidate)
    {
        var step = arena.Plan.Execution.FirstAccess + candidate;
        return step < arena.Plan.Steps.Length && arena.Plan.Steps[step].Call == Sys.faccessat2 && arena.Header.Failed > step && arena.Result(step) == 0;
    }

    /// <summary>What the first line of a script names.</summary>
    private static string? Interpreter(ReadOnlySpan<byte> head)
    {
        if (!head.StartsWith("#!"u8)) return null;
        var line = head[2..];
        var end = line.IndexOfAny((byte)'\n', (byte)0);
        return Encoding.UTF8.GetString(end < 0 ? line : line[..end]).Trim();
    }

    private static string Missing(ReadOnlySpan<byte> head, string path)
    {
        if (head.StartsWith("#!"u8))
        {
            var line = head[2..];
            var end = line.IndexOfAny((byte)'\n', (byte)0);
            var interpreter = Interpreter(head)!;
            var hint = $"{path} exists, but its interpreter '{interpreter}' does not exist inside the sandbox";
            return interpreter.EndsWith('\r') || end > 0 && line[end - 1] == '\r' ? hint + " (the line ends with a carriage return)" : hint;
        }

        return head.StartsWith("\u007fELF"u8)
            ? $"{path} exists, but the dynamic loader it names does not exist inside the sandbox"
            : $"{path} exists, but something it needs does not";
    }

    private static ReadOnlySpan<byte> Head(LaunchArena arena, int candidate)
    {
        var execution = arena.Plan.Execution;
        var length = arena.Result(execution.FirstProbe + 2 * candidate + 1);
        return length <= 0 ? [] : arena.Data.Slice(execution.HeadOffset + candidate * execution.HeadSize, (int)length);
    }

    private static List<string> Candidates(LaunchArena arena)
    {
        var execution = arena.Plan.Execution;
        var result = new List<string>();
        for (var i = 0; i < execution.Count; i++) result.Add(arena.Plan.Steps[execution.First + i].Path!);
        return result;
    }
}
