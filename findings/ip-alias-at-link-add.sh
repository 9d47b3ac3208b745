#!/usr/bin/env bash
# Good guess: `ip link add NAME alias TEXT type …` makes a link with that alias, as `ip link set NAME alias TEXT` gives it one; ip takes
# both without a word.
# Wrong: at `add` the alias is dropped in silence, exit 0. Other attributes of the same command (mtu, address) are kept.
# Users meet it when a program marks links as its own by their alias in the command that makes them: after a crash it finds none of them,
# and leaves them behind.
# Debian 12: iproute2 6.1.0; prints the kernel it ran on.
set -euo pipefail
command -v ip >/dev/null || { echo "apt-get install iproute2"; exit 1; }
if test "${1:-}" != inside; then
  if test "$(id -u)" = 0; then exec unshare --net bash "$0" inside; else exec unshare --map-root-user --net bash "$0" inside; fi
fi

ip -V
uname -sr
echo '== alias, mtu and address in the command that makes the link'
ip link add made alias "mine" mtu 1400 address 02:00:00:00:00:01 type bridge
echo "exit $?"
ip link show made
shown="$(ip link show made)"
grep -q 'mtu 1400' <<<"$shown" && grep -q '02:00:00:00:00:01' <<<"$shown" || { echo "CHANGED: mtu or address are dropped too"; exit 1; }
if grep -q 'alias mine' <<<"$shown"; then echo "CHANGED: the alias is kept"; exit 1; fi

echo '== alias in a command of its own'
ip link set made alias "mine"
ip link show made
ip link show made | grep -q 'alias mine' || { echo "CHANGED: set does not give it either"; exit 1; }
echo "as seen: add drops the alias and says nothing"
