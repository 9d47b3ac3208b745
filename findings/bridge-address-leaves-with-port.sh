#!/usr/bin/env bash
# Good guess: a bridge keeps the hardware address it came up with; that a port leaves concerns who is behind that port.
# Wrong: a bridge that was given no address wears the lowest of its ports'. When that port leaves, the bridge takes another one's, tells
# nobody, and no longer answers to the old one: all others, who have the old one in their neighbour tables, lose the bridge's IP
# addresses at once, until their entries go stale and are probed (half a minute is usual).
# Users meet it with containers or virtual machines on a bridge that is their gateway: one stops, and the others' connections hang.
# `ip link set BRIDGE address …` before the first port (any address, the bridge's present one too) holds it.
# Debian 12: iproute2 6.1.0, busybox-static 1.35.0 (ping); prints the kernel it ran on.
set -euo pipefail
for program in ip busybox; do command -v "$program" >/dev/null || { echo "apt-get install iproute2 busybox-static"; exit 1; }; done
test "$(id -u)" = 0 || { echo "needs root, for two network namespaces"; exit 1; }
host="finding-$$-host"
peer="finding-$$-peer"
trap 'ip netns del "$host" 2>/dev/null || true; ip netns del "$peer" 2>/dev/null || true' EXIT

ip -V
uname -sr
pings() { nsenter --net="/run/netns/$peer" busybox ping -c 1 -W 1 192.0.2.1 >/dev/null; }
address() { ip -n "$host" link show br0 | sed -n 's/.*link\/ether \([^ ]*\).*/\1/p'; }
# A bridge with two ports; behind the second one a neighbour that talks to the bridge. $1: the bridge's own address, or nothing.
build() {
  ip netns del "$host" 2>/dev/null || true
  ip netns del "$peer" 2>/dev/null || true
  ip netns add "$host"
  ip netns add "$peer"
  ip -n "$host" link add br0 type bridge
  if test -n "$1"; then ip -n "$host" link set br0 address "$1"; fi
  ip -n "$host" link add p0 address 02:00:00:00:00:01 type veth peer name far
  ip -n "$host" link add p1 address 02:00:00:00:00:02 type veth peer name eth0 netns "$peer"
  for port in p0 p1; do ip -n "$host" link set "$port" master br0; ip -n "$host" link set "$port" up; done
  ip -n "$host" link set far up
  ip -n "$host" addr add 192.0.2.1/24 dev br0
  ip -n "$host" link set br0 up
  ip -n "$peer" addr add 192.0.2.2/24 dev eth0
  ip -n "$peer" link set eth0 up
  for _ in 1 2 3 4 5; do if pings; then return; fi; done
  echo "CHANGED: the neighbour never reaches the bridge"
  exit 1
}

echo '== a bridge that was given no address'
build ""
before="$(address)"
ip -n "$host" link del p0
after="$(address)"
echo "before: $before; after a port has left: $after"
test "$before" = 02:00:00:00:00:01 && test "$after" = 02:00:00:00:00:02 || { echo "CHANGED: other addresses"; exit 1; }
if pings; then echo "CHANGED: the neighbour still reaches it"; exit 1; fi
echo "the neighbour reaches it no more"
ip -n "$peer" neigh flush dev eth0
pings || { echo "CHANGED: nor when it has asked again"; exit 1; }
echo "the neighbour reaches it when it has forgotten the old address"

echo '== one that was given its address'
build 02:00:00:00:00:03
ip -n "$host" link del p0
test "$(address)" = 02:00:00:00:00:03 && pings || { echo "CHANGED: it loses its neighbours too"; exit 1; }
echo "the neighbour still reaches it"
echo "as seen"
