#!/usr/bin/env bash
# Rebuilds the embedded stage and stub for every architecture.
#   build.sh           writes src/Isolation/Stage/Embedded/*.bin
#   build.sh --verify  builds into a temporary folder and fails unless the bytes checked in are the same
# The bytes are those of clang 14 with lld 14 (Debian 12: apt-get install clang-14 lld-14), which compiles for both.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
checked_in=$here/../Isolation/Stage/Embedded
clang=${CLANG:-clang-14}
out=$(mktemp -d); trap 'rm -rf "$out"' EXIT

build() { # build NAME TARGET MACHINE-FLAGS...
  local name=$1 target=$2; shift 2
  local flags=(--target="$target" "$@" -ffile-prefix-map="$here"=. -fuse-ld=lld-14 -nostdlib -static)
  # -mgeneral-regs-only: no vector state to set up for a process that lives for microseconds
  "$clang" "${flags[@]}" -std=c11 -Os -Wall -Wextra -Werror -ffreestanding -fno-builtin -fno-stack-protector -fno-pic -mgeneral-regs-only \
    -fno-asynchronous-unwind-tables -fomit-frame-pointer -Wl,-T,"$here/stage.ld" -Wl,--build-id=none -Wl,-z,max-page-size=65536 -Wl,-s \
    -o "$out/stage-$name.bin" "$here/stage.c"
  "$clang" --target="$target" -c -o "$out/stub.o" "$here/stub-$name.S"
  llvm-objcopy-14 -O binary --only-section=.text "$out/stub.o" "$out/stub-$name.bin"
  rm "$out/stub.o"
}
build x64 x86_64-linux-gnu -mno-red-zone
build arm64 aarch64-linux-gnu -mno-outline-atomics

if [ "${1:-}" = --verify ]; then
  for file in "$out"/*.bin; do cmp "$file" "$checked_in/$(basename "$file")"; done
  echo "stage and stub: a rebuild gives the bytes that are checked in"
else
  mkdir -p "$checked_in"; cp "$out"/*.bin "$checked_in"; chmod 644 "$checked_in"/*.bin
  wc -c "$checked_in"/*.bin
fi
