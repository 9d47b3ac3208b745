#!/usr/bin/env bash
# Good guess: a queueing discipline belongs to its link, so what `tc` sets on the end of a veth pair is still there once that end has been
# moved into a container's namespace, as its name, MTU and MAC address are.
# Wrong: the move shuts the link's disciplines down and gives it the default one. Nothing fails and `tc monitor` prints nothing; the limit
# is gone. (Addresses and routes are lost too, which `ip` users know.)
# Users meet it when a network plugin limits what a container sends on the container's end, before the engine moves it there: the limit
# shows in `tc qdisc show` when it is tested by hand, and never holds. It has to be set after the move, or on the end that stays.
# iproute2 6.1.0, Linux 6.18.
set -euo pipefail
[ "$(id -u)" = 0 ] && command -v tc >/dev/null && command -v unshare >/dev/null || { echo "needs root, tc and unshare"; exit 1; }
uname -r
tc -V
said="$(unshare --net bash -c '
  ip link add host type veth peer name box
  tc qdisc add dev box root tbf rate 1mbit burst 10kb latency 50ms
  ip link set box mtu 1400
  unshare --net sleep 30 &
  inner=$!
  until [ "$(readlink /proc/$inner/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do sleep 0.05; done
  ip link set box netns "$inner"
  nsenter --net=/proc/$inner/ns/net ip link show box | grep -o "mtu [0-9]*"
  nsenter --net=/proc/$inner/ns/net tc qdisc show dev box | grep -c tbf || true
  kill "$inner"
')"
read -r mtu kept <<<"$(echo $said | sed "s/mtu //")"
echo "after the move: MTU $mtu, tbf disciplines: $kept"
[ "$mtu" = 1400 ] && [ "$kept" = 0 ] || { echo "this has changed"; exit 1; }
