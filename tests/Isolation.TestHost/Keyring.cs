using System.Globalization;
using Isolation.Interop;
using Isolation.Launching;
using Isolation.Planning;

namespace Isolation.TestHost;

/// <summary>Starts where a session keyring cannot be had: what may be started still, and what not.</summary>
internal static unsafe class Keyring
{
    private const int Clear = 7; // KEYCTL_CLEAR

    internal static int Run(string[] arguments)
    {
        switch (arguments[0])
        {
            case "forbidden":
                ExpectStarts(Errno.ENOSYS);
                break;
            case "missing":
                Start(new SecurityOptionsOf(null, Inherits: false), SessionKeyring.Missing);
                break;
            case "full":
                Fill();
                ExpectStarts(Errno.EDQUOT);
                GetsRoom();
                break;
            default:
                throw new ArgumentException($"What is '{arguments[0]}'?");
        }

        Console.WriteLine("fine");
        return 0;
    }

    private readonly record struct SecurityOptionsOf(SeccompProfile? Profile, bool Inherits);

    /// <summary>Only what cannot reach a keyring, or is to, runs.</summary>
    private static void ExpectStarts(Errno errno)
    {
        foreach (var profile in (SeccompProfile[])[SeccompProfile.Default, SeccompProfile.Docker]) Start(new SecurityOptionsOf(profile, Inherits: false), SessionKeyring.OutOfReach);
        Start(new SecurityOptionsOf(null, Inherits: true), SessionKeyring.Inherited);
        foreach (var profile in (SeccompProfile?[])[null, .. ((string[])["keyctl", "add_key", "request_key"]).Select(name => SeccompProfile.Default.Allowing(name)),
            SeccompProfile.Default with { Architectures = [SeccompArchitecture.X86, SeccompArchitecture.Arm], Rules = [new SeccompRule(SeccompAction.Log, "keyctl"), .. SeccompProfile.Default.Rules] },
            SeccompProfile.Default with { ForeignAction = SeccompAction.Allow }])
        {
            try
            {
                Start(new SecurityOptionsOf(profile, Inherits: false), SessionKeyring.Empty);
            }
            catch (IsolationException e)
            {
                Expect.Equal(e.Step, KeyringPlanner.Label, "the step");
                Expect.Equal(e.Syscall, "keyctl", "the syscall");
                Expect.Equal((Errno)e.Errno, errno, "the errno");
                Expect.True(e.Hint is not null, "there is a hint");
                continue;
            }

            throw new InvalidOperationException("A program was started in the host's keyring:\n" + profile);
        }
    }

    private static void Start(SecurityOptionsOf security, SessionKeyring keyring)
    {
        using var process = IsolatedProcess.Start(Options(security));
        Expect.Equal(process.Enforced.SessionKeyring, keyring, "what it tells of its keyring");
        Expect.Equal(process.WaitForExit(TimeSpan.FromSeconds(20)).ExitCode, 0, "the exit code");
    }

    private static IsolationOptions Options(SecurityOptionsOf security) =>
        new("true") { Security = { Seccomp = security.Profile, InheritSessionKeyring = security.Inherits } };

    /// <summary>Keys into a keyring of this thread's own until there may be no more.</summary>
    private static void Fill()
    {
        Expect.True(Kernel.Call(Sys.keyctl, Linux.KEYCTL_JOIN_SESSION_KEYRING) > 0, "there is a new keyring");
        nint result;
        var count = 0;
        do result = AddKey(string.Create(CultureInfo.InvariantCulture, $"isolation {count}"));
        while (result > 0 && ++count < 100_000);
        Expect.Equal(result, -(nint)Errno.EDQUOT, "the result of the last add_key");
    }

    private static nint AddKey(string name)
    {
        fixed (byte* type = "user\0"u8, description = System.Text.Encoding.UTF8.GetBytes(name + '\0'))
            return Kernel.Call(Sys.add_key, (nint)type, (nint)description, (nint)type, 1, Linux.KEY_SPEC_SESSION_KEYRING);
    }

    /// <summary>While a start waits, keys are freed, and it goes on.</summary>
    private static void GetsRoom()
    {
        var waited = false;
        var child = IsolatedProcess.Launch(Options(new SecurityOptionsOf(null, Inherits: false)), default, new LaunchHooks(plan =>
        {
            ref var last = ref plan.Steps[plan.KeyringStep - 1];
            Expect.Equal(last.Label, "wait for room for a keyring", "the step before the last try");
            plan.Questions.Add(new Question(() =>
            {
                waited = true;
                Expect.Equal(Kernel.Call(Sys.keyctl, Clear, Linux.KEY_SPEC_SESSION_KEYRING), 0, "the result of clearing the keyring");
                while (AddKey("one more") < 0) Thread.Yield(); // until the garbage collector has been there
                _ = Kernel.Call(Sys.keyctl, Clear, Linux.KEY_SPEC_SESSION_KEYRING);
            }));
            last = LaunchPlan.Make(StepKind.AskHost, 0, last.Label, null, plan.Questions.Count);
        }));
        Expect.True(child.Wait(TimeSpan.FromSeconds(20)), "it ends");
        Expect.Equal(child.Exit.GetAwaiter().GetResult().ExitCode, 0, "the exit code");
        Expect.True(waited, "it has waited");
    }

    private sealed class Question(Action answer) : HostQuestion
    {
        internal override void Answer(IWaitingStage stage) => answer();
    }
}
