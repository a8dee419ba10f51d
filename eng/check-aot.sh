#!/usr/bin/env bash
# Publishes tests/Isolation.AotCheck trimmed, as a single file and as native code, and runs each. Any trim or AOT warning is a failure.
# Native code needs a C toolchain for the linking (Debian: apt-get install gcc libc6-dev zlib1g-dev).
set -euo pipefail
cd "$(dirname "$0")/.."
case $(uname -m) in
  x86_64) rid=linux-x64 ;;
  aarch64) rid=linux-arm64 ;;
  *) echo "no such architecture" >&2; exit 1 ;;
esac
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

check() { # check NAME PUBLISH-OPTIONS...
  local name=$1; shift
  # Folders of its own: the ordinary build's restore knows nothing of a runtime identifier and would be disturbed.
  dotnet publish tests/Isolation.AotCheck -r "$rid" -c Release --artifacts-path "$out/$name" -o "$out/$name/app" -nodeReuse:false "$@" \
    >"$out/$name.log" 2>&1 || { cat "$out/$name.log"; echo "$name: does not publish"; exit 1; }
  if grep -E 'warning|IL[23][0-9]{3}' "$out/$name.log"; then echo "$name: publishes with warnings"; exit 1; fi
  local said
  said=$("$out/$name/app/Isolation.AotCheck" </dev/null) || { echo "$name: the published app fails: $said"; exit 1; }
  [ "$said" = ok ] || { echo "$name: the published app says: $said"; exit 1; }
  echo "$name: no warning, and the published app works ($(du -h --apparent-size "$out/$name/app/Isolation.AotCheck" | cut -f1) executable)"
}
check trimmed --self-contained -p:PublishTrimmed=true -p:PublishSingleFile=true
check single-file --self-contained -p:PublishSingleFile=true
check native -p:PublishAot=true
