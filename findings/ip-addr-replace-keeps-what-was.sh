#!/usr/bin/env bash
# Good guess: `ip addr replace` leaves the address as the command says: if it exists, its label, broadcast address, scope and flags are
# replaced.
# Wrong for IPv4: of an address that exists the kernel takes over the lifetimes and the metric, and passes over all else: exit 0, no word.
# IPv6 does take over flags: `noprefixroute` removes the prefix's route for an IPv6 address, and does nothing for an IPv4 one.
# Users meet it in scripts that are to be run again (which is why they say `replace`): on a fresh machine the address gets what they say;
# where it exists, the same script succeeds and leaves it as it was. Whoever marks addresses by label (`ip addr flush label eth0:mine`)
# never finds those. Delete the address and add it again.
# Debian 12: iproute2 6.1.0; prints the kernel it ran on.
set -euo pipefail
command -v ip >/dev/null || { echo "apt-get install iproute2"; exit 1; }
if test "${1:-}" != inside; then
  if test "$(id -u)" = 0; then exec unshare --net bash "$0" inside; else exec unshare --map-root-user --net bash "$0" inside; fi
fi

ip -V
uname -r
ip link add port type veth peer name other
ip link set port up
ip link set other up
shown() { ip -oneline addr show dev port to "$1" | sed 's/^.*inet/inet/; s/ *\\.*$//'; }

echo '== IPv4, new'
ip addr replace 192.0.2.1/24 broadcast 192.0.2.255 label port:mine scope link dev port
new="$(shown 192.0.2.1)"
echo "$new"
test "$new" = "inet 192.0.2.1/24 brd 192.0.2.255 scope link port:mine" || { echo "CHANGED"; exit 1; }

echo '== IPv4, the same command for an address that exists'
ip addr add 203.0.113.1/24 dev port
ip addr replace 203.0.113.1/24 broadcast 203.0.113.255 label port:mine scope link dev port
old="$(shown 203.0.113.1)"
echo "$old"
test "$old" = "inet 203.0.113.1/24 scope global port" || { echo "CHANGED"; exit 1; }

echo '== the metric is taken over'
ip addr replace 203.0.113.1/24 metric 77 dev port
metric="$(shown 203.0.113.1)"
echo "$metric"
test "$metric" = "inet 203.0.113.1/24 metric 77 scope global port" || { echo "CHANGED"; exit 1; }

echo '== noprefixroute: routes that are left'
ip addr add 198.51.100.1/24 dev port
ip addr add 2001:db8::1/64 dev port nodad
ip addr replace 198.51.100.1/24 noprefixroute dev port
ip addr replace 2001:db8::1/64 noprefixroute nodad dev port
four="$(ip route show 198.51.100.0/24 | wc -l)"
six="$(ip -6 route show 2001:db8::/64 | wc -l)"
echo "IPv4: $four, IPv6: $six"
test "$four" = 1 && test "$six" = 0 || { echo "CHANGED"; exit 1; }
echo "as seen: replace succeeds, and IPv4 keeps what was"
