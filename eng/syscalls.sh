#!/usr/bin/env bash
# Writes src/Isolation/Filtering/syscalls.txt: the syscalls of the five ABIs that run on x64 and arm64 machines, from the
# kernel's own headers. Needs gcc with linux-libc-dev, gcc-aarch64-linux-gnu with linux-libc-dev-arm64-cross, and an
# unpacked linux-libc-dev-armhf-cross, whose include folder is the only argument:
#   apt-get download linux-libc-dev-armhf-cross && dpkg -x linux-libc-dev-armhf-cross*.deb arm
#   eng/syscalls.sh arm/usr/arm-linux-gnueabihf/include
set -euo pipefail
arm=${1:?the include folder of linux-libc-dev-armhf-cross}
output=$(dirname "$0")/../src/Isolation/Filtering/syscalls.txt
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT

# list ABI HEADER COMPILER...: a line "name number" for each __NR_ macro; numbers of x32 without its bit, as the filter sees them masked.
list() {
  local abi=$1 header=$2
  shift 2
  echo "#include <$header>" | "$@" -E -dM - | sed -nE 's/^#define (__NR|__ARM_NR)_([a-z_][a-z0-9_]*) .*/\1_\2 \2/p' | sort -u >"$work/macros"
  { echo "#include <$header>"; awk '{print "@ " $2 " " $1}' "$work/macros"; } | "$@" -E -P - |
    sed -nE 's/^@ //p' | sed 's/__X32_SYSCALL_BIT/0/; s/0x40000000/0/' |
    while read -r name value; do
      case $name in syscalls | SYSCALL_BASE | BASE | arch_specific_syscall) continue ;; esac
      echo "$name $((value))"
    done | sort -u >"$work/$abi"
}

list x64 asm/unistd_64.h gcc
list x86 asm/unistd_32.h gcc
list x32 asm/unistd_x32.h gcc
list arm64 asm/unistd.h aarch64-linux-gnu-gcc
list arm asm/unistd.h gcc -nostdinc -U__x86_64__ -D__arm__ -D__ARM_EABI__ -I"$arm"

# Newer than Debian 12's headers (Linux 6.1). From 403 on a syscall has the same number everywhere (scripts/syscall.tbl of
# the kernel's source); the two probes are calls of x86-64 alone.
newer="cachestat 451 fchmodat2 452 map_shadow_stack 453 futex_wake 454 futex_wait 455 futex_requeue 456 statmount 457
  listmount 458 lsm_get_self_attr 459 lsm_set_self_attr 460 lsm_list_modules 461 mseal 462 setxattrat 463 getxattrat 464
  listxattrat 465 removexattrat 466 open_tree_attr 467 file_getattr 468 file_setattr 469 listns 470 rseq_slice_yield 471"
set -- $newer
while [ $# -gt 0 ]; do
  for abi in x64 x86 x32 arm64 arm; do echo "$1 $2" >>"$work/$abi"; done
  shift 2
done
for abi in x64 x32; do printf 'uretprobe 335\nuprobe 336\n' >>"$work/$abi"; done

# Calls that only other machines have: a profile may name them, and they mean nothing here.
others="atomic_barrier atomic_cmpxchg_32 breakpoint cachectl cacheflush get_tls getpagesize multiplexer
  riscv_flush_icache riscv_hwprobe rtas s390_guarded_storage s390_pci_mmio_read s390_pci_mmio_write s390_runtime_instr
  s390_sthyi set_tls spu_create spu_run subpage_prot swapcontext switch_endian sync_file_range2 sys_debug_setcontext sysmips
  timerfd usr26 usr32"

for name in $(cut -d' ' -f1 "$work"/{x64,x86,x32,arm64,arm} | sort -u) $others; do echo "$name"; done | sort -u >"$work/names"
{
  echo "# Written by eng/syscalls.sh. name x64 x86 x32 arm64 arm; - where there is none, x32 without its bit 0x40000000."
  while read -r name; do
    line=$name
    for abi in x64 x86 x32 arm64 arm; do
      number=$(awk -v name="$name" '$1 == name { print $2; exit }' "$work/$abi")
      line="$line ${number:--}"
    done
    echo "$line"
  done <"$work/names"
} >"$output"
