namespace Isolation.Interop;

/// <summary>The syscalls that the library issues, under their kernel names. <see cref="SyscallTable"/> has the numbers.</summary>
internal enum Sys : ushort
{
    read, write, close, mmap, munmap, ftruncate, fcntl, ioctl, pipe2, ppoll, dup3, waitid, kill, unshare, setns,
    mount, umount2, chdir, getcwd, mknodat, mkdirat, symlinkat, openat, fstatfs, prctl, capset, capget, setgroups,
    setresuid, setresgid, setsid, sethostname, setdomainname, rt_sigaction, rt_sigprocmask, execve, socket,
    epoll_create1, epoll_ctl, epoll_pwait, pidfd_open, pidfd_send_signal, close_range, open_tree, move_mount,
    mount_setattr, memfd_create, geteuid, getegid, getpid, umask, exit_group, futex, clone3, statx, setpriority, getrusage, clock_gettime,
    openat2, fsopen, fsconfig, fsmount, pivot_root, fchdir, fchownat,
    linkat, unlinkat, renameat2, readlinkat, utimensat, fsetxattr, fgetxattr, getdents64, pwrite64, lseek, flock, fsync, syncfs,
    fchmod, fchmodat, fchown,
    personality,
    landlock_create_ruleset, landlock_add_rule, landlock_restrict_self, eventfd2, faccessat2,
    prlimit64,
    seccomp,
    pidfd_getfd, process_vm_readv,
    keyctl, add_key, request_key,
    sched_setscheduler, sched_setaffinity, ioprio_set,
    socketpair, sendmsg, recvmsg, getpgid,
}
