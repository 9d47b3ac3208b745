#!/usr/bin/env bash
# Good guess: `nft -j list ruleset` and `nft list ruleset` say the same in two notations, so what one saves, the other could too.
# Wrong: JSON leaves out a set's `auto-merge` (and comments of sets and chains). Saved and loaded without an error, the set has all its
# elements, packets are treated as before, and from then on it refuses each element that overlaps another: "interval overlaps with an
# existing one".
# Users meet it with lists of addresses that grow (bans, countries, allowed networks), when a program saves the rules as JSON: all works
# until the first restart; after it, adding to the list fails now and then, depending on what it has. Save the text form.
# Debian 12: nftables 1.0.6; prints the kernel it ran on.
set -euo pipefail
command -v nft >/dev/null || { echo "apt-get install nftables"; exit 1; }
if test "${1:-}" != inside; then
  if test "$(id -u)" = 0; then exec unshare --net bash "$0" inside; else exec unshare --map-root-user --net bash "$0" inside; fi
fi

nft --version
uname -r
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
nft add table ip t
nft add set ip t banned '{ type ipv4_addr; flags interval; auto-merge; elements = { 198.51.100.0/28 }; }'
nft list ruleset >"$folder/text"
nft -j list ruleset >"$folder/json"
add() {
  code=0
  said="$(nft add element ip t banned "{ $1 }" 2>&1)" || code=$?
  echo "add $1: exit $code${said:+, ${said%%$'\n'*}}"
}

echo '== loaded from text'
nft flush ruleset
nft -f "$folder/text"
add 198.51.100.0/24
test "$code" = 0 || { echo "CHANGED"; exit 1; }

echo '== loaded from JSON'
nft flush ruleset
nft -j -f "$folder/json"
elements="$(nft list set ip t banned | grep elements | tr -d '\t')"
echo "$elements"
test "$elements" = "elements = { 198.51.100.0/28 }" || { echo "CHANGED"; exit 1; }
add 192.0.2.0/24
test "$code" = 0 || { echo "CHANGED"; exit 1; }
add 198.51.100.0/24
test "$code" = 1 && grep -q 'overlaps' <<<"$said" || { echo "CHANGED"; exit 1; }
echo "as seen: what the set had, it has; what it did, it does no more"
