#!/usr/bin/env bash
# Good guess: an `ip -batch -` that is kept open saves a process per command and does the same: each line names a link, and the kernel
# looks the name up.
# Wrong: ip looks a name up once and keeps its index as long as the process lives. When another program has renamed the link, and given
# the name to another one, `link show dev NAME` prints nothing at all, and `link set dev NAME up` sets the first link up; both succeed.
# Users meet it when they keep one ip for speed beside udev, a container engine or a VPN that renames links: `link set dev eth0 up` sets
# another one up. Lines that list all links are right; a line that names one needs a process of its own.
# Debian 12: iproute2 6.1.0; prints the kernel it ran on.
set -euo pipefail
command -v ip >/dev/null || { echo "apt-get install iproute2"; exit 1; }
test "$(id -u)" = 0 || { echo "needs root, for a network namespace"; exit 1; }
host="finding-$$"
trap 'ip netns del "$host" 2>/dev/null || true' EXIT

ip -V
uname -sr
ip netns add "$host"
ip -n "$host" link add one type veth peer name far-one
folder="$(mktemp -d)"
trap 'ip netns del "$host" 2>/dev/null || true; rm -rf "$folder"' EXIT
said="$folder/said"
mkfifo "$folder/lines"
ip -n "$host" -oneline -batch "$folder/lines" >"$said" 2>&1 &
kept=$!
exec 3>"$folder/lines"
# Every namespace has lo: its line says that those before it have been carried out.
does() {
  before="$(wc -l <"$said")"
  printf '%s\n' "$1" 'link show dev lo' >&3
  for _ in $(seq 100); do tail -n 1 "$said" | grep -q ' lo: ' && test "$(wc -l <"$said")" -gt "$before" && break; sleep 0.05; done
  tail -n "+$((before + 1))" "$said" | grep -v ' lo: ' | cut -d: -f1,2 || true
}
echo "before: $(does 'link show dev one')"
ip -n "$host" link set one name former
ip -n "$host" link add one type veth peer name far-two
shown="$(does 'link show dev one')"
fresh="$(ip -n "$host" -oneline link show dev one | cut -d: -f1,2)"
echo "after another link has the name: kept shows \"$shown\", a fresh one \"$fresh\""
does 'link set dev one up'
exec 3>&-
wait "$kept" || { echo "CHANGED: it reports an error"; exit 1; }
up() { ip -n "$host" link show dev "$1" | grep -c "[<,]UP[,>]" || true; }
echo "after 'link set dev one up' in the kept process: one up: $(up one), former up: $(up former); exit 0"
test "$shown" = "" && test "$fresh" != "" && test "$(up one)" = 0 && test "$(up former)" = 1 || { echo "CHANGED"; exit 1; }
echo "as seen"
