#!/usr/bin/env bash
# Good guess: an interface whose MTU is set to 1279 for a moment has, back at 1500, what it had before, as far as IPv4 is concerned and
# IPv6 too: addresses, routes and the settings under /proc/sys/net/ipv6/conf.
# Wrong: below 1280 the kernel takes IPv6 off the interface as if it had been deleted. Static addresses and routes are gone, the folder
# under /proc/sys vanishes, and at 1500 a new one stands there with the namespace's defaults: forwarding, DAD, accept_ra set by hand are
# lost. IPv4 keeps everything. Neither command says a word.
# Users meet it when a script or a VPN lowers the MTU of a dual-stack link, or a program tries out path MTUs.
# Debian 12: iproute2 6.1.0; prints the kernel it ran on.
set -euo pipefail
command -v ip >/dev/null || { echo "apt-get install iproute2"; exit 1; }
test "$(id -u)" = 0 || { echo "needs root, for a network namespace"; exit 1; }
host="finding-$$"
trap 'ip netns del "$host" 2>/dev/null || true' EXIT

ip -V
uname -sr
ip netns add "$host"
in_it() { ip netns exec "$host" "$@"; }
ip -n "$host" link add v0 type veth peer name v1
for link in v0 v1; do ip -n "$host" link set "$link" up; done
ip -n "$host" addr add 192.0.2.1/24 dev v0
ip -n "$host" addr add 2001:db8::1/64 dev v0 nodad
ip -n "$host" -6 route add 2001:db8:1::/64 via 2001:db8::2
settings=/proc/sys/net/ipv6/conf/v0
in_it sh -c "echo 7 > $settings/dad_transmits"
count() { ip -n "$host" "$@" | grep -c "$look" || true; }
state() {
  look="inet 192.0.2.1" && v4="$(count addr show dev v0)"
  look="inet6 2001:db8::1" && v6="$(count addr show dev v0)"
  look="2001:db8:1::/64" && route="$(count -6 route show)"
  echo "IPv4 address $v4, IPv6 address $v6, IPv6 route $route, dad_transmits $(in_it cat $settings/dad_transmits 2>/dev/null || echo gone)"
}
before="$(state)"
said="$(ip -n "$host" link set v0 mtu 1279 2>&1)"
below="$(state)"
said="$said$(ip -n "$host" link set v0 mtu 1500 2>&1)"
after="$(state)"
printf '%s\n' "at 1500: $before" "at 1279: $below" "at 1500: $after"
test -z "$said" || { echo "CHANGED: ip says \"$said\""; exit 1; }
test "$before" = "IPv4 address 1, IPv6 address 1, IPv6 route 1, dad_transmits 7" || { echo "CHANGED before"; exit 1; }
test "$below" = "IPv4 address 1, IPv6 address 0, IPv6 route 0, dad_transmits gone" || { echo "CHANGED below"; exit 1; }
test "$after" = "IPv4 address 1, IPv6 address 0, IPv6 route 0, dad_transmits 1" || { echo "CHANGED after"; exit 1; }
echo "as seen"
