#!/usr/bin/env bash
# Good guess: the CNI plugin `portmap` accepts in CHECK what it has made in ADD.
# Wrong: CHECK looks for the rules of an IPv4 address in the tables of both families. With a published port it fails for a container that
# has an IPv4 address, whether it has an IPv6 address too or not.
# Users meet it when a runtime that calls CHECK has portmap in its list, and the container is taken for broken.
# Debian 12: containernetworking-plugins 1.1.1, iptables 1.8.9.
set -euo pipefail
plugins=/usr/lib/cni
test -x "$plugins/portmap" || { echo "apt-get install containernetworking-plugins"; exit 1; }
test "$(id -u)" = 0 || { echo "run it as root"; exit 1; }
if test "${1:-}" != inside; then exec unshare --net --mount bash "$0" inside; fi

mount -t tmpfs tmpfs /run
ip link set lo up
config() {
  cat <<JSON
{ "cniVersion": "1.0.0", "name": "one", "type": "portmap", "capabilities": { "portMappings": true },
  "runtimeConfig": { "portMappings": [ { "hostPort": 8080, "containerPort": 80, "protocol": "tcp" } ] },
  "prevResult": { "cniVersion": "1.0.0", "interfaces": [ { "name": "eth0", "sandbox": "/run/box" } ],
                  "ips": [ $ips ] } }
JSON
}
ask() { config | CNI_COMMAND="$1" CNI_CONTAINERID=c1 CNI_NETNS=/run/box CNI_IFNAME=eth0 CNI_PATH="$plugins" "$plugins/portmap"; }

four='{ "address": "10.1.0.2/24", "interface": 0 }'
six='{ "address": "fd00:1::2/64", "interface": 0 }'
for ips in "$four" "$four, $six"; do
  echo "== ADD: a port, and the addresses $ips"
  ask ADD >/dev/null && echo "exit 0"
  echo '== CHECK of the same'
  if said="$(ask CHECK)"; then echo "CHANGED: CHECK accepts it"; exit 1; fi
  echo "$said"
  grep -q 'ipv6 dnat' <<<"$said" || { echo "CHANGED: it fails for another reason"; exit 1; }
  ask DEL >/dev/null
done
echo "as seen: CHECK looks for the IPv4 address's rules among those of IPv6"
