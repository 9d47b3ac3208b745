#!/usr/bin/env bash
# Good guess: `ip link add br0 mtu 1400 type bridge` and `ip link set br0 mtu 1400` after a plain creation make the same bridge.
# Wrong: only an MTU that was set after creation is held. One that was given at creation counts as never set: with the first port the
# bridge takes the port's, larger or not, and keeps that when the port has left.
# Users meet it behind tunnels and in clouds with small MTUs: the bridge was made with 1400, shows 1400, and sends 1500 once a container
# or a virtual machine is on it. Set the MTU in a command of its own.
# Debian 12: iproute2 6.1.0; prints the kernel it ran on.
set -euo pipefail
command -v ip >/dev/null || { echo "apt-get install iproute2"; exit 1; }
test "$(id -u)" = 0 || { echo "needs root, for a network namespace"; exit 1; }
host="finding-$$"
trap 'ip netns del "$host" 2>/dev/null || true' EXIT

ip -V
uname -sr
ip netns add "$host"
mtu() { ip -n "$host" link show "$1" | sed -n 's/.* mtu \([0-9]*\) .*/\1/p'; }
ip -n "$host" link add br0 mtu 1400 type bridge
ip -n "$host" link add br1 type bridge
ip -n "$host" link set br1 mtu 1400
for n in 0 1; do
  test "$(mtu "br$n")" = 1400 || { echo "CHANGED: br$n is made with $(mtu "br$n")"; exit 1; }
  ip -n "$host" link add "p$n" mtu 1500 type veth peer name "far$n"
  ip -n "$host" link set "p$n" master "br$n"
done
echo "with a port of 1500: given at creation 1400 -> $(mtu br0), set afterwards 1400 -> $(mtu br1)"
test "$(mtu br0)" = 1500 && test "$(mtu br1)" = 1400 || { echo "CHANGED"; exit 1; }
ip -n "$host" link set p0 nomaster
test "$(mtu br0)" = 1500 || { echo "CHANGED: it comes back to $(mtu br0)"; exit 1; }
echo "the port has left: $(mtu br0)"
echo "as seen"
