#!/usr/bin/env bash
# summarize-tests.sh LOG...   Reads what `dotnet test --output Detailed` printed in one or more runs. Fails when all tests of
# a class were skipped in every run: a feature that the machine promises went untested. Ends with what failed, and the sum of
# the counts.
set -euo pipefail
untested=0
# "passed Some.Namespace.Class.Test(arguments) (12ms)"; the reason of a skipped test is on the next line.
awk '
  function class_of(name) { sub(/\(.*/, "", name); sub(/\.[^.]*$/, "", name); return name }
  /^(passed|failed|skipped) [A-Za-z_]/ {
    outcome = $1; name = $0
    sub(/^[a-z]+ /, "", name); sub(/ \([0-9a-z ]+\)$/, "", name)
    seen[name] = 1; class[name] = class_of(name)
    if (outcome == "skipped") { expecting = name } else { ran[name] = 1; live[class[name]] = 1; expecting = "" }
    next
  }
  expecting != "" { if (!(expecting in reason)) { text = $0; sub(/^ +/, "", text); reason[expecting] = text } expecting = "" }
  END {
    for (name in seen) if (!(name in ran)) { print "never run: " name ": " reason[name]; if (!(class[name] in live)) dead[class[name]] = 1 }
    for (group in dead) { print "all skipped, though this machine is to run them: " group; bad = 1 }
    exit bad
  }' "$@" || untested=1
# What failed, with the first lines of why, where it is read: at the end.
awk '
  /^(passed|skipped) [A-Za-z_]/ { left = 0 }
  /^failed( \([a-z]+\))? [A-Za-z_]/ { left = 15 }
  left > 0 { print; left-- }' "$@"
awk '
  /^  succeeded: [0-9]+$/ { passed += $2 } /^  failed: [0-9]+$/ { failed += $2 } /^  skipped: [0-9]+$/ { skipped += $2 }
  END { printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped; exit passed == 0 || failed > 0 }' "$@"
exit $untested
