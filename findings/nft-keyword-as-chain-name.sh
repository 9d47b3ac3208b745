#!/usr/bin/env bash
# Good guess: a chain that nft has accepted, in its JSON form, can be listed, saved and loaded again.
# Wrong: JSON takes any name; the language of nft's own listing has reserved words, and does not quote them. A chain named `fwd`
# (many a program's short word for "forward") is made by JSON, works, and makes the whole saved ruleset one that nft refuses to load.
# Users meet it when a program makes chains through libnftables' JSON and the machine saves its rules with `nft list ruleset` for the
# next boot: then no rule of anybody's is loaded.
# Debian 12: nftables 1.0.6.
set -euo pipefail
command -v nft >/dev/null || { echo "apt-get install nftables"; exit 1; }
if test "${1:-}" != inside; then
  if test "$(id -u)" = 0; then exec unshare --net bash "$0" inside; else exec unshare --map-root-user --net bash "$0" inside; fi
fi
saved="$(mktemp)"
trap 'rm -f "$saved"' EXIT

nft --version
echo '== a table with the chains "forward" and "fwd", made by JSON'
nft -j -f - <<'JSON'
{"nftables": [
  {"add": {"table": {"family": "inet", "name": "t"}}},
  {"add": {"chain": {"family": "inet", "table": "t", "name": "forward"}}},
  {"add": {"chain": {"family": "inet", "table": "t", "name": "fwd"}}}
]}
JSON
echo "exit $?"
nft list ruleset | tee "$saved"

echo '== the same listing, loaded'
if said="$(nft -c -f "$saved" 2>&1)"; then
  echo "CHANGED: nft loads its own listing"
  exit 1
fi
echo "$said"
grep -q 'unexpected fwd' <<<"$said" || { echo "CHANGED: it is refused for another reason"; exit 1; }

echo '== JSON lists and loads it'
nft -j list ruleset >"$saved"
nft -j -c -f "$saved" || { echo "CHANGED: JSON does not load its own listing either"; exit 1; }
echo "as seen: what JSON has made, only JSON can load"
