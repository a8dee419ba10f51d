using FluentAssertions;
using Isolation.Tests.Hosts;
using Isolation.Tests.Support;
using Xunit;

namespace Isolation.Tests;

/// <summary>Programs that people use run under the default filter: what was tried. Each as the user who runs the tests, root or not.</summary>
public class OrdinaryProgramTests
{
    [Theory(Timeout = 60_000)]
    [InlineData("sh", "printf '3\\n1\\n2\\n' | sort | tail -n 1; (exit 4); echo $?; for i in 1 2 3; do echo $i & done | wc -l; wait; echo `cat <<E\nhere\nE`", "3\n4\n3\nhere\n")]
    [InlineData("bash", "bash -c 'coproc cat; echo through >&${COPROC[1]}; read -r line <&${COPROC[0]}; echo $line; cat <(echo substituted)'", "through\nsubstituted\n")]
    [InlineData("busybox", "echo data > f; busybox tar cf - f | busybox gzip | busybox zcat | busybox tar xOf -", "data\n")]
    [InlineData("tar gzip", "mkdir d; echo x > d/a; ln -s a d/b; ln d/a d/c; mkfifo d/p; tar czf t d; rm -r d; tar xzf t; readlink d/b; test -p d/p && echo fifo", "a\nfifo\n")]
    [InlineData("find xargs flock", "mkdir -p a/b; touch a/b/c; find . -name c | xargs ls; touch -d '2001-02-03' a/b/c; stat -c %y a/b/c | cut -c1-10; flock a true; timeout 5 echo done", "./a/b/c\n2001-02-03\ndone\n")]
    [InlineData("awk", "echo 3 4 | awk '{print $1 * $2}'; seq 3 | sed s/2/two/ | paste -sd,; date -u -d @0 +%Y; nproc > n; df . > d; id -u > i; uname > u; kill -0 $$; nice -n 5 true; echo ok",
        "12\n1,two,3\n1970\nok\n")]
    [InlineData("python3", """
        python3 - <<'E'
        import subprocess, threading, multiprocessing, socket, select, os, tempfile, mmap, signal, asyncio, sqlite3, json
        r = []
        t = threading.Thread(target=lambda: r.append(1)); t.start(); t.join()
        with multiprocessing.get_context('fork').Pool(2) as p: r += p.map(abs, [-2, -3])
        r.append(int(subprocess.check_output(['echo', '4'])))
        s = socket.socket(); s.bind(('127.0.0.1', 0)); s.listen(); c = socket.create_connection(s.getsockname()); a = s.accept()[0]; c.sendall(b'5'); r.append(int(a.recv(1)))
        e = select.epoll(); e.register(c, select.EPOLLOUT); r.append(len(e.poll(1)) + 5)
        async def main():
            p = await asyncio.create_subprocess_exec('echo', '7', stdout=-1)
            return int((await p.communicate())[0])
        r.append(asyncio.run(main()))
        d = sqlite3.connect('db'); d.execute('create table t(x)'); d.execute('insert into t values(8)'); d.commit(); r.append(d.execute('select x from t').fetchone()[0])
        f = tempfile.TemporaryFile(); f.write(b'9'); f.flush(); r.append(int(mmap.mmap(f.fileno(), 1)[:]))
        print(r, len(os.sched_getaffinity(0)) > 0)
        E
        """, "[1, 2, 3, 4, 5, 6, 7, 8, 9] True\n")]
    [InlineData("perl", "perl -e 'if (my $p = fork) { waitpid $p, 0; print $? >> 8, \"\\n\" } else { exit 6 }'", "6\n")]
    [InlineData("git", """
        git init -q r; cd r; git config user.email a@b; git config user.name n; echo 1 > f; git add f; git commit -qm one; git checkout -qb side; echo 2 > f
        git commit -qam two; cd ..; git clone -q r s 2>/dev/null; git -C s log --format=%s; git -C s gc -q; git -C s fsck 2>/dev/null; git -C s status --short
        """, "two\none\n")]
    [InlineData("gcc", """
        printf '#include <stdio.h>\n#include <pthread.h>\nstatic void *f(void *p) { puts("thread"); return p; }\nint main(void) { pthread_t t; pthread_create(&t, 0, f, 0); pthread_join(t, 0); return 3; }' > x.c
        gcc -O2 -pthread -o x x.c && ./x; echo $?
        """, "thread\n3\n")]
    [InlineData("make", "printf 'all: a b\\na b:\\n\\t@echo $@ > $@\\n' > Makefile; make -sj4; cat a b", "a\nb\n")]
    [InlineData("node", """
        node -e '
        const { Worker } = require("worker_threads"), { execFileSync } = require("child_process"), http = require("http"), fs = require("fs");
        new Worker("require(\"worker_threads\").parentPort.postMessage(2)", { eval: true }).on("message", two => {
          const server = http.createServer((q, r) => r.end("3")).listen(0, "127.0.0.1", () => http.get({ port: server.address().port, host: "127.0.0.1" }, r => r.on("data", three => {
            server.close(); fs.promises.writeFile("f", "4").then(() => console.log(execFileSync("echo", ["1"]).toString().trim(), two, three.toString(), fs.readFileSync("f", "utf8")));
          })));
        });'
        """, "1 2 3 4\n")]
    [InlineData("curl busybox", """
        mkdir w; echo page > w/index.html; ${B} httpd -p 127.0.0.1:8080 -h w; curl -s http://127.0.0.1:8080/; curl -s http://localhost:8080/ || echo unresolved
        curl -s file://$PWD/w/index.html
        """, "page\npage\npage\n")]
    [InlineData("openssl", "echo secret | openssl enc -aes-128-cbc -k x -pbkdf2 | openssl enc -d -aes-128-cbc -k x -pbkdf2; openssl rand -hex 4 | wc -c", "secret\n9\n")]
    [InlineData("sqlite3", "sqlite3 db 'create table t(x); insert into t values(5); select x from t'", "5\n")]
    [InlineData("java", "java -version 2>/dev/null; echo $?", "0\n")]
    [InlineData("ruby", "ruby -e 'puts Thread.new { 5 }.value; puts `echo 6`'", "5\n6\n")]
    [InlineData("setsid setpriv ps prlimit ionice taskset chrt", "setsid sh -c 'ps -o pid= -p 1 | tr -d \" \"'; setpriv --no-new-privs true; prlimit --nofile > l; ionice -c 3 true; taskset -p 1 > t; renice -n 3 $$ > n; chrt -p $$ > c; echo ok", "1\nok\n")]
    public async Task Runs_under_the_default_filter(string programs, string script, string expected)
    {
        Programs.Require(programs.Split(' '));
        await Succeeds(script, expected);
    }

    [Fact(Timeout = 120_000)]
    public async Task Dotnet_runs_under_the_default_filter()
    {
        Programs.Require("dotnet");
        var options = Options("export DOTNET_CLI_HOME=/tmp/home DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1; dotnet --info | grep -c 'Microsoft.NETCore.App'");
        int.Parse(await Sandbox.OutputOf(options), null).Should().BePositive();
    }

    [Fact(Timeout = 60_000)]
    public async Task An_app_of_dotnet_runs_under_the_default_filter_with_threads_sockets_and_children()
    {
        var options = new IsolationOptions(HostApp.Command[0], [.. HostApp.Command.Skip(1), "ordinary"]) { StandardInput = StandardStream.Null };
        options.Filesystem.PrivateTmp = false; // the tests may lie there
        options.InheritEnvironment = true; // says where the runtime is
        options.Environment["TMPDIR"] = "/dev/shm";
        (await Sandbox.OutputOf(options)).Should().Be("ordinary\n");
    }

    private static async Task Succeeds(string script, string expected) => (await Sandbox.OutputOf(Options(script))).Should().Be(expected);

    private static IsolationOptions Options(string script)
    {
        var options = Sandbox.Shell("mkdir /tmp/work; cd /tmp/work\n" + script);
        options.Environment["B"] = Programs.Find("busybox");
        options.Environment["HOME"] = "/tmp/work";
        options.Security.Seccomp.Should().BeSameAs(SeccompProfile.Default);
        return options;
    }
}
