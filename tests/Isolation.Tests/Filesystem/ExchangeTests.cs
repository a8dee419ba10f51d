using System.Runtime.InteropServices;
using System.Text;
using FluentAssertions;
using Isolation.Tests.Escapes;
using Isolation.Tests.Support;
using Xunit;

namespace Isolation.Tests;

/// <summary>
/// Roots that somebody changes while a sandbox starts: a folder and a link to a folder outside change places without end
/// (CVE-2021-30465). A start may fail; nothing may come about outside, and no mask may be missing in one that succeeds.
/// </summary>
[Collection(AloneCollection.Name)]
public partial class ExchangeTests
{
    /// <summary>For each set of names, refused ones included. Longer runs by hand: the environment may ask for more, such as 10,000.</summary>
    private static readonly int s_starts = int.Parse(Environment.GetEnvironmentVariable("ISOLATION_TEST_RACE_STARTS") ?? "120", null);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory(Timeout = 120_000)]
    [MemberData(nameof(HostileRootTests.Folders), MemberType = typeof(HostileRootTests))]
    [EscapeAttempt(4)]
    public async Task Attempt_04_whatever_changes_places_meanwhile_nothing_gets_outside(TreeKind kind, bool userNamespace)
    {
        // Apart, as a start that fails at the first does not get to the others.
        foreach (var names in (string[][])[["dev", "proc"], ["tmp", "run", "data"], ["data"]])
        {
            using var tree = new AttackedTree(kind, userNamespace);
            using var outside = new TemporaryFolder();
            outside.File("canary");
            Directory.CreateDirectory(tree.Path + "/data");
            var before = Trees.Content(outside.Path);
            using var racer = new Racer(tree.Path, outside.Path, names);
            racer.Wins($"{tree.Path}/{names[^1]}/probe", outside.Path + "/probe");

            var (started, failed) = await StartAll(tree);
            Trees.Content(outside.Path).Should().Equal(before);
            TestContext.Current.TestOutputHelper?.WriteLine($"{string.Join(' ', names)}: {started} starts succeeded, {failed} were refused, {racer.Exchanges} exchanges");
        }
    }

    private static async Task<(int Started, int Failed)> StartAll(AttackedTree tree)
    {
        // Places that lie in a folder of the host go on changing once the program runs: their mounts move with them.
        const string look = """
            for p in /proc /proc.link; do (cd $p && [ -e self/stat ] && { read -r line < interrupts && echo unmasked; [ -c interrupts ] || echo bare; }); done
            for c in /data/canary /tmp/canary /run/canary; do [ -e $c ] && echo outside; done; :
            """;
        using var source = new TemporaryFolder();
        var (started, failed) = (0, 0);
        var left = s_starts;
        await Task.WhenAll(Enumerable.Range(0, 2).Select(_ => Task.Run(Start, Token)));
        return (started, failed);

        async Task Start()
        {
            // The racer does not always win: until one has got through, nothing is known about masks.
            while (Interlocked.Decrement(ref left) >= 0 || Volatile.Read(ref started) == 0)
            {
                var options = tree.Options(look);
                options.Filesystem.Mounts.Add(new BindMount(source.Path, "/data/bound"));
                options.Filesystem.Mounts.Add(new TmpfsMount("/data/new/deep"));
                options.Filesystem.Mounts.Add(new DirectoryMount("/data/folder"));
                options.Filesystem.Mounts.Add(new FileMount("/data/file", "x"));
                try
                {
                    var result = await IsolatedProcess.RunAndCaptureTextAsync(options, Token);
                    result.StandardOutput.Should().BeEmpty("of what it says: {0}", result.StandardError);
                    Interlocked.Increment(ref started);
                }
                catch (IsolationException)
                {
                    Interlocked.Increment(ref failed);
                }
            }
        }
    }

    [Theory(Timeout = 120_000)]
    [MemberData(nameof(HostileRootTests.Folders), MemberType = typeof(HostileRootTests))]
    public async Task Starts_do_not_disturb_one_another_on_the_way_up(TreeKind kind, bool userNamespace)
    {
        // openat2(2): below a root, ".." fails with EAGAIN when anybody mounts or renames anything meanwhile.
        using var tree = new AttackedTree(kind, userNamespace);
        using var source = new TemporaryFolder();
        Directory.CreateDirectory(tree.Path + "/var");
        File.CreateSymbolicLink(tree.Path + "/var/run", string.Concat(Enumerable.Repeat("../run/", 30)));
        Directory.CreateDirectory(tree.Path + "/run/app");
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(
            async () =>
            {
                for (var i = 0; i < 40; i++) await tree.Attack(":", options => options.Filesystem.Mounts.Add(new BindMount(source.Path, "/var/run/app")));
            },
            Token)));
    }

    /// <summary>A thread that exchanges each of some folders of a root with a link to a folder outside, again and again.</summary>
    private sealed partial class Racer : IDisposable
    {
        private const int CurrentDirectory = -100, Exchange = 2; // AT_FDCWD, RENAME_EXCHANGE

        private readonly Thread _thread;
        private volatile bool _ended;

        internal Racer(string root, string outside, params string[] names)
        {
            var pairs = names.Select(name => (From: Encoding.UTF8.GetBytes($"{root}/{name}\0"), To: Encoding.UTF8.GetBytes($"{root}/{name}.link\0"))).ToArray();
            for (var i = 0; i < names.Length; i++) File.CreateSymbolicLink($"{root}/{names[i]}.link", i % 2 == 0 ? outside : "../../../../../../../.." + outside);
            _thread = new Thread(() =>
            {
                while (!_ended)
                {
                    foreach (var (from, to) in pairs)
                        if (renameat2(CurrentDirectory, from, CurrentDirectory, to, Exchange) == 0) Exchanges++;
                    // An odd moment longer than the other, so that neither of the two is always there.
                    Thread.SpinWait(Random.Shared.Next(2000));
                }
            });
            _thread.Start();
        }

        internal long Exchanges { get; private set; }

        /// <summary>Whoever uses a path sooner or later gets outside.</summary>
        internal void Wins(string path, string outside)
        {
            var end = Environment.TickCount64 + 10_000;
            while (!File.Exists(outside))
            {
                (Environment.TickCount64 < end).Should().BeTrue("the race can be won");
                File.WriteAllText(path, "");
            }

            File.Delete(outside);
        }

        public void Dispose()
        {
            _ended = true;
            _thread.Join();
        }

        [LibraryImport("libc", SetLastError = true)]
        private static partial int renameat2(int fromFolder, byte[] from, int toFolder, byte[] to, uint flags);
    }
}
