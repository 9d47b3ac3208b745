#!/usr/bin/env bash
# Good guess: `nft -j -f FILE` reads JSON, so a file of ordinary rules is an error; or else it is read as ordinary rules.
# Wrong: it is neither. nft reads the text, says nothing, exits 0, and nothing is in the kernel afterwards; broken text is a success too.
# Users meet it when a script gets `-j` for its output (to read handles back) and goes on writing rules as text: each run succeeds, and
# the machine has no firewall.
# Debian 12: nftables 1.0.6.
set -euo pipefail
command -v nft >/dev/null || { echo "apt-get install nftables"; exit 1; }
if test "${1:-}" != inside; then
  if test "$(id -u)" = 0; then exec unshare --net bash "$0" inside; else exec unshare --map-root-user --net bash "$0" inside; fi
fi

nft --version
echo '== without -j: the table is made'
echo 'add table inet one' | nft -f -
nft list tables
nft list tables | grep -q 'inet one' || { echo "CHANGED: plain text makes no table"; exit 1; }

echo '== with -j: the same words'
if ! said="$(echo 'add table inet two' | nft -j -f - 2>&1)"; then
  echo "CHANGED: it is an error now: $said"
  exit 1
fi
echo "exit 0, said: '$said'"
nft list tables
if nft list tables | grep -q 'inet two'; then echo "CHANGED: it is read as text now"; exit 1; fi
test "$said" = "" || { echo "CHANGED: it says something now"; exit 1; }

echo '== with -j: words of no language'
echo 'no such words' | nft -j -f - || { echo "CHANGED: it is an error now"; exit 1; }
echo "exit 0"
echo "as seen: success, and nothing done"
