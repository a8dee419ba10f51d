// The job as one does it in Go: SysProcAttr has the namespaces and the maps of ids, but nothing between clone and exec can
// make a root. So the program runs itself again, in the namespaces, does there what is to be done, and becomes the program.
//
//	peer PROGRAM TREE  reads a character a line: n without a user namespace, u with one; p no namespaces
//	answer: as floor.c. The return of Start says that Go's own program runs again, not that the one wanted does.
package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"time"
	"unsafe"
)

const namespaces = syscall.CLONE_NEWPID | syscall.CLONE_NEWNS | syscall.CLONE_NEWUTS | syscall.CLONE_NEWIPC | syscall.CLONE_NEWNET | 0x02000000 // CLONE_NEWCGROUP

func check(step string, err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, step+":", err)
		os.Exit(127)
	}
}

func call(step string, number, a, b, c uintptr) {
	if _, _, errno := syscall.RawSyscall6(number, a, b, c, 0, 0, 0); errno != 0 {
		check(step, errno)
	}
}

func bind(from, to string, flags uintptr) {
	check("bind "+from, syscall.Mount(from, to, "", syscall.MS_BIND|syscall.MS_REC, ""))
	if flags != 0 {
		check("restrict "+to, syscall.Mount("", to, "", syscall.MS_BIND|syscall.MS_REMOUNT|flags, ""))
	}
}

func tmpfs(to, data string, flags uintptr) {
	check("mkdir "+to, os.MkdirAll(to, 0755))
	check("tmpfs on "+to, syscall.Mount("tmpfs", to, "tmpfs", flags, data))
}

func inside(tree string) {
	runtime.LockOSThread() // capabilities are a thread's own
	check("private tree", syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""))
	const root = "/tmp"
	tmpfs(root, "mode=755,size=64m", syscall.MS_NOSUID|syscall.MS_NODEV)
	for _, folder := range []string{"bin", "etc", "lib", "data"} {
		check("mkdir "+folder, os.Mkdir(filepath.Join(root, folder), 0755))
		bind(filepath.Join(tree, folder), filepath.Join(root, folder), syscall.MS_RDONLY|syscall.MS_NOSUID|syscall.MS_NODEV)
	}
	check("mkdir proc", os.Mkdir(root+"/proc", 0555))
	check("proc", syscall.Mount("proc", root+"/proc", "proc", syscall.MS_NOSUID|syscall.MS_NODEV|syscall.MS_NOEXEC, ""))
	tmpfs(root+"/dev", "mode=755,size=65536", syscall.MS_NOSUID|syscall.MS_NOEXEC)
	for _, name := range []string{"null", "zero", "full", "random", "urandom", "tty"} {
		file, err := os.Create(root + "/dev/" + name)
		check("device "+name, err)
		file.Close()
		bind("/dev/"+name, root+"/dev/"+name, 0)
	}
	check("mkdir pts", os.Mkdir(root+"/dev/pts", 0755))
	check("devpts", syscall.Mount("devpts", root+"/dev/pts", "devpts", syscall.MS_NOSUID|syscall.MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620"))
	tmpfs(root+"/dev/shm", "mode=1777,size=64m", syscall.MS_NOSUID|syscall.MS_NODEV|syscall.MS_NOEXEC)
	for link, target := range map[string]string{"ptmx": "pts/ptmx", "fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1", "stderr": "/proc/self/fd/2"} {
		check("link "+link, os.Symlink(target, root+"/dev/"+link))
	}
	tmpfs(root+"/tmp", "mode=1777,size=256m", syscall.MS_NOSUID|syscall.MS_NODEV)
	check("remount of the root", syscall.Mount("", root, "", syscall.MS_BIND|syscall.MS_REMOUNT|syscall.MS_RDONLY|syscall.MS_NOSUID|syscall.MS_NODEV, ""))
	check("chdir", syscall.Chdir(root))
	check("pivot_root", syscall.PivotRoot(".", "."))
	check("umount", syscall.Unmount(".", syscall.MNT_DETACH))
	check("chdir", syscall.Chdir("/"))

	socket, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_DGRAM|syscall.SOCK_CLOEXEC, 0)
	check("socket", err)
	request := [40]byte{'l', 'o', 16: 1} // struct ifreq, IFF_UP
	call("loopback up", syscall.SYS_IOCTL, uintptr(socket), syscall.SIOCSIFFLAGS, uintptr(unsafe.Pointer(&request)))

	call("no_new_privs", syscall.SYS_PRCTL, 38, 1, 0)
	for capability := uintptr(0); ; capability++ {
		if _, _, errno := syscall.RawSyscall(syscall.SYS_PRCTL, 24 /* PR_CAPBSET_DROP */, capability, 0); errno != 0 {
			break
		}
	}
	header, none := [2]uint32{0x20080522}, [6]uint32{}
	call("capset", syscall.SYS_CAPSET, uintptr(unsafe.Pointer(&header)), uintptr(unsafe.Pointer(&none)), 0)
	check("exec", syscall.Exec("/bin/exit", []string{"/bin/exit"}, []string{"PATH=/bin"}))
}

func sample(kind byte, program, tree string) (start, exit time.Duration, memory int64, err error) {
	command := exec.Command("/proc/self/exe", "inside", tree)
	if kind == 'p' {
		command = exec.Command(program)
	}
	command.Env = []string{}
	command.Stderr = os.Stderr
	command.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if kind != 'p' {
		command.SysProcAttr.Cloneflags = namespaces
	}
	if kind == 'u' {
		command.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		size := 1
		if os.Getuid() == 0 {
			size = 65536
		}
		command.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: size}}
		command.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: size}}
	}
	begin := time.Now()
	if err = command.Start(); err != nil {
		return
	}
	start = time.Since(begin)
	err = command.Wait()
	exit = time.Since(begin)
	if err == nil {
		memory = command.ProcessState.SysUsage().(*syscall.Rusage).Maxrss
	}
	return
}

func main() {
	if len(os.Args) < 3 {
		os.Exit(2)
	}
	if os.Args[1] == "inside" {
		inside(os.Args[2])
	}
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		kind := lines.Text()[0]
		start, exit, memory, err := sample(kind, os.Args[1], os.Args[2])
		if err == nil { // twice, as in floor.c
			start, exit, memory, err = sample(kind, os.Args[1], os.Args[2])
		}
		if err != nil {
			fmt.Println("!", err)
		} else {
			fmt.Println(start.Nanoseconds(), exit.Nanoseconds(), memory)
		}
	}
}
