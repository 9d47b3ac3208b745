#!/usr/bin/env bash
# Good guess: `ip -j route show table N` of a table without routes prints [] and exits 0.
# Wrong: it depends on the table's past. Of a table that never had a route in this namespace it exits 2 and prints a single `[`, which
# is no JSON; once a route has been there and is gone, the same command exits 0 and prints an empty list.
# Users meet it in programs that look before they add (policy routing, VPNs, container networks): they work on every machine on which
# they have run before, and fail on a fresh one, or parse `[` and die of it.
# Debian 12: iproute2 6.1.0.
set -euo pipefail
command -v ip >/dev/null || { echo "apt-get install iproute2"; exit 1; }
if test "${1:-}" != inside; then
  if test "$(id -u)" = 0; then exec unshare --net bash "$0" inside; else exec unshare --map-root-user --net bash "$0" inside; fi
fi

ip -V
ip link set lo up
said="$(mktemp)"
trap 'rm -f "$said"' EXIT
look() {
  code=0
  out="$(ip -j route show table 77 2>"$said")" || code=$?
  echo "exit $code, standard output '$out', standard error '$(tr '\n' ' ' <"$said")'"
}

echo '== a table that never had a route'
look
test "$code" = 2 && test "$(tr -d ' \n' <<<"$out")" = "[" || { echo "CHANGED"; exit 1; }

echo '== one that had a route'
ip route add 192.0.2.0/24 dev lo table 77
ip route del 192.0.2.0/24 dev lo table 77
look
test "$code" = 0 && test "$(tr -d ' \n' <<<"$out")" = "[]" || { echo "CHANGED"; exit 1; }
echo "as seen: the same empty table, an error before and a list after"
