using System.Buffers;
using System.Collections;
using System.Runtime.InteropServices;
using Isolation.Interop;

namespace Isolation.Planning;

/// <summary>Working directory, look-up of the program inside the sandbox's own tree, arguments, environment, execve.</summary>
internal static class ExecutionPlanner
{
    internal const string DefaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    internal const string DefaultHome = "/tmp";
    internal const string DefaultLanguage = "C.UTF-8";

    /// <summary>How much of a file is looked at to tell why it does not run.</summary>
    private const int HeadSize = 128;

    /// <summary>
    /// Random addresses are a fifth of what the exec of the stage costs: the kernel makes the new stack in one place and then
    /// moves it to another (setup_arg_pages in fs/exec.c). The stage is no target: it meets no stranger's data and lives for
    /// microseconds, unless it becomes a supervisor, which has them as before.
    /// </summary>
    internal static void ExecStageWithFixedAddresses(LaunchPlan plan, IsolationOptions options, in HostFacts facts, bool becomesMonitor)
    {
        if (!facts.MayFixAddresses || (facts.Personality & Linux.ADDR_NO_RANDOMIZE) != 0 || options.UseInit || becomesMonitor) return;
        plan.StagePersonality = facts.Personality | Linux.ADDR_NO_RANDOMIZE;
        plan.Add(LaunchPlan.Syscall(Sys.personality, options.Security.Personality is null ? "give the program random addresses again" : "set the personality",
            options.Security.Personality?.ToString(), (uint)(options.Security.Personality ?? (Personality)facts.Personality)));
    }

    /// <summary>Before a filter that refuses most of them, and where it has not just been done.</summary>
    internal static void SetPersonality(LaunchPlan plan, IsolationOptions options, in HostFacts facts)
    {
        if (options.Security.Personality is not { } wanted || plan.StagePersonality != Kernel.SamePersonality || (uint)wanted == facts.Personality) return;
        plan.Add(LaunchPlan.Syscall(Sys.personality, "set the personality", wanted.ToString(), (uint)wanted));
    }

    /// <summary>After the ids: the program's user must be able to get there.</summary>
    internal static void EnterDirectory(LaunchPlan plan, IsolationOptions options)
    {
        var directory = options.WorkingDirectory ?? "/";
        plan.Add(LaunchPlan.Syscall(Sys.chdir, "enter the working directory", directory, plan.Text(directory)));
        if (directory == "/") return; // inside by definition
        if ((options.Namespaces & Namespaces.Mount) != 0) ExcludeDescriptors(plan, directory);
        // A directory outside the tree would show as "(unreachable)": CVE-2024-21626.
        var buffer = plan.Buffer(4096);
        plan.Add(LaunchPlan.Syscall(Sys.getcwd, "read the working directory", directory, buffer, 4096));
        plan.Add(LaunchPlan.Check("check that the working directory is inside the tree", directory, buffer, 0, 1, 0xff, '/', Errno.EXDEV));
    }

    /// <summary>
    /// The set-up holds folders that are covered by now, what is denied among them; a link of /proc/self/fd, which the directory
    /// of an image may name or lead to, would enter them (CVE-2024-21626). They are below the root and so pass the check that follows.
    /// </summary>
    private static void ExcludeDescriptors(LaunchPlan plan, string directory)
    {
        const byte register = LaunchPlan.Scratch;
        plan.Add(LaunchPlan.Syscall(Sys.openat2, "reach the working directory without a link of /proc", directory, Linux.AT_FDCWD, plan.Text(directory),
            plan.Struct(new open_how { flags = Linux.O_PATH | Linux.O_CLOEXEC, resolve = Linux.RESOLVE_NO_MAGICLINKS }), 24).To(register));
        plan.Add(LaunchPlan.Syscall(Sys.fchdir, "enter the working directory", directory, Argument.Register(register)));
    }

    internal static void Execute(LaunchPlan plan, IsolationOptions options)
    {
        var arguments = Arguments(plan, options);
        var environment = Environment(plan, options, out var path);
        var file = options.FileName;
        var searched = !file.Contains('/');
        var directories = searched ? path.Split(':') : [""];
        var candidates = new string[directories.Length];
        var texts = new Argument[directories.Length];
        for (var i = 0; i < directories.Length; i++)
        {
            // execvp(3): an empty entry of PATH is the current directory
            candidates[i] = !searched ? file : directories[i].Length == 0 ? "./" + file : directories[i] + "/" + file;
            texts[i] = plan.Text(candidates[i]);
        }

        var first = plan.Steps.Length;
        for (var i = 0; i < candidates.Length; i++)
            plan.Add(LaunchPlan.Syscall(Sys.execve, "execute the program", candidates[i], texts[i], arguments, environment)
                .Tolerate(Errno.ENOENT, Errno.ENOTDIR, Errno.EACCES));

        // Only reached when none ran: look at what is there, so that the error can say why.
        var firstProbe = plan.Steps.Length;
        var heads = plan.Buffer(HeadSize * candidates.Length);
        var register = plan.NewRegister();
        var mayLook = SeccompPlanner.Compile(options) is not { MayLook: false };
        for (var i = 0; i < candidates.Length; i++)
        {
            if (!mayLook)
            {
                // The filter would refuse or kill who tries: nothing is seen.
                var nothing = LaunchPlan.Fail("look at the program", candidates[i], Errno.ENOENT).Tolerate(Errno.ENOENT);
                plan.Add(nothing.SkipNext(1));
                plan.Add(nothing);
                continue;
            }

            plan.Add(LaunchPlan.Syscall(Sys.openat, "look at the program", candidates[i], Linux.AT_FDCWD, texts[i], Linux.O_RDONLY | Linux.O_CLOEXEC | Linux.O_NONBLOCK)
                .To(register).Tolerate(Errno.ENOENT, Errno.ENOTDIR, Errno.EACCES, Errno.ENXIO).SkipNext(1));
            plan.Add(LaunchPlan.Syscall(Sys.read, "look at the program", candidates[i], Argument.Register(register),
                new Argument(ArgumentKind.Bytes, heads.Value + (uint)(i * HeadSize)), HeadSize).Tolerate(Errno.EISDIR, Errno.EAGAIN, Errno.EINVAL, Errno.EIO));
        }

        var firstAccess = plan.Steps.Length;
        for (var i = 0; i < candidates.Length && mayLook && plan.Landlock is { IsEnforced: true }; i++)
            plan.Add(LandlockPlanner.ProbeAccess(candidates[i], texts[i]));
        plan.Add(LaunchPlan.Check("execute the program", file, heads, 0, 1, 0, 1, Errno.ENOENT));
        plan.Execution = new ExecutionSteps(first, candidates.Length, firstProbe, (int)heads.Value, HeadSize, firstAccess);
    }

    private static Argument Arguments(LaunchPlan plan, IsolationOptions options)
    {
        var list = options.Arguments;
        var rented = ArrayPool<Argument>.Shared.Rent(list.Count + 1);
        rented[0] = plan.Text(options.FileName);
        for (var i = 0; i < list.Count; i++) rented[i + 1] = plan.Text(list[i]);
        var table = plan.Table(rented.AsSpan(0, list.Count + 1));
        ArrayPool<Argument>.Shared.Return(rented);
        return table;
    }

    /// <summary>The clean base or a copy of the host's environment, with the user's own entries over it; null removes.</summary>
    private static Argument Environment(LaunchPlan plan, IsolationOptions options, out string path)
    {
        if (!options.InheritEnvironment && options.Environment.Count == 0 && options.Terminal is null)
        {
            path = DefaultPath; // most starts are like this, and need no dictionary
            return plan.Table([plan.Home ?? plan.Text("HOME=" + DefaultHome), plan.Text("LANG=" + DefaultLanguage), plan.Text("PATH=" + DefaultPath)]);
        }

        var entries = plan.ProgramEnvironment = options.EffectiveEnvironment();
        path = entries.TryGetValue("PATH", out var value) ? value : DefaultPath;
        var rented = ArrayPool<Argument>.Shared.Rent(entries.Count + 1);
        var count = 0;
        if (plan.Home is { } home)
        {
            entries.Remove("HOME");
            rented[count++] = home;
        }

        foreach (var (name, content) in entries) rented[count++] = plan.Text($"{name}={content}");
        var table = plan.Table(rented.AsSpan(0, count));
        ArrayPool<Argument>.Shared.Return(rented);
        return table;
    }
}
