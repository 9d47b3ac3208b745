#!/usr/bin/env bash
# Good guess: `nft monitor` ends each transaction with `# new generation N by process PID (nft)`, so a program that changes rules can tell
# its own changes from others' by its children's PIDs, as the kernel translates PIDs for SCM_CREDENTIALS and SO_PEERCRED.
# Wrong inside a PID namespace: the number is that of the initial namespace, whoever reads it. It matches no process that is visible there,
# or a wrong one, and cannot be translated from inside.
# Users meet it when a firewall agent that works on the host is put into a container: it takes its own changes for another's, and puts
# rules back in a loop. The name in parentheses is right, and there is nothing else to go by.
# nftables 1.0.6, Linux 6.18.
set -euo pipefail
[ "$(id -u)" = 0 ] && command -v nft >/dev/null && command -v unshare >/dev/null || { echo "needs root, nft and unshare"; exit 1; }
nft --version
# A network namespace without a route to the machine's, and a PID namespace of its own.
said="$(unshare --net --pid --fork --mount-proc bash -c '
  # Early PIDs of a new namespace are small, so that they cannot equal the outer ones by chance.
  monitored="$(mktemp)"
  nft monitor >"$monitored" 2>/dev/null &
  monitor=$!
  for _ in $(seq 50); do
    nft add table inet probe
    nft delete table inet probe &
    inner=$!
    wait "$inner"
    grep -q "new generation" "$monitored" && break
    sleep 0.1
  done
  sleep 0.5
  kill "$monitor"
  outer="$(sed -n "s/^# new generation [0-9]* by process \([0-9]*\) (nft)$/\1/p" "$monitored" | tail -n 1)"
  rm "$monitored"
  echo "$inner $outer"
')"
read -r inner outer <<<"$said"
echo "inside, nft was process $inner; nft monitor said process $outer"
[ -n "$outer" ] && [ "$inner" != "$outer" ] || { echo "this has changed"; exit 1; }
