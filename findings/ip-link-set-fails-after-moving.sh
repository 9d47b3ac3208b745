#!/usr/bin/env bash
# Good guess: an `ip link set` of several changes that fails has changed nothing, as `ip link add` does; or, at worst, it has made the
# changes that stand before the refused one.
# Wrong: the kernel makes the changes one after the other in an order of its own, not the command's, and takes none back. With `netns`
# the move is first: the command prints an error and exits 2, and the link is in the other namespace. The text that warns of this ("a
# link change request failed with some changes committed already") goes to the kernel's log alone.
# Users meet it when they set up a container's end in one command: a bad MTU or address fails it, and the cleanup or the next try says
# `Cannot find device`. Put the move into a command of its own, or look in both namespaces after a failure.
# Debian 12: iproute2 6.1.0; prints the kernel it ran on.
set -euo pipefail
command -v ip >/dev/null || { echo "apt-get install iproute2"; exit 1; }
if test "${1:-}" != inside; then
  if test "$(id -u)" = 0; then exec unshare --net bash "$0" inside; else exec unshare --map-root-user --net bash "$0" inside; fi
fi

ip -V
uname -r
unshare --net sleep 30 &
other=$!
trap 'kill "$other" 2>/dev/null || true' EXIT
until test "$(readlink "/proc/$other/ns/net")" != "$(readlink /proc/self/ns/net)"; do sleep 0.05; done
there() { nsenter --net="/proc/$other/ns/net" ip "$@"; }
try() {
  code=0
  said="$("$@" 2>&1)" || code=$?
  echo "\$ ${*//$other/OTHER}"
  echo "  exit $code, $said"
}
mtu() { { "$@" 2>/dev/null || true; } | grep -o 'mtu [0-9]*' || echo none; }

echo '== a new link, with an address that no link may have'
try ip link add new mtu 1400 address 01:00:00:00:00:01 type veth
test "$code" = 2 && ! ip link show new >/dev/null 2>&1 || { echo "CHANGED"; exit 1; }
echo '  no link was made'

echo '== an MTU before that address, in the command: neither is set'
ip link add box type veth peer name host
try ip link set dev box mtu 1400 address 01:00:00:00:00:01
seen="$(mtu ip link show box)"
echo "  afterwards: $seen"
test "$code" = 2 && test "$seen" = "mtu 1500" || { echo "CHANGED"; exit 1; }

echo '== an address before an MTU that is too large: the address is set'
try ip link set dev host address 02:00:00:00:00:07 mtu 70000
seen="$(ip link show host | grep -o '02:00:00:00:00:07' || echo 'the old address')"
echo "  afterwards: $seen"
test "$code" = 2 && test "$seen" = "02:00:00:00:00:07" || { echo "CHANGED"; exit 1; }

echo '== a move, last in the command, after that MTU'
try ip link set dev box mtu 70000 netns "$other"
here="$(mtu ip link show box)"
moved="$(mtu there link show box)"
echo "  afterwards here: $here; in the other namespace: $moved"
test "$code" = 2 && test "$here" = none && test "$moved" = "mtu 1500" || { echo "CHANGED"; exit 1; }
echo "as seen: the command failed, and has moved the link"
