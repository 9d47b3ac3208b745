#!/usr/bin/env bash
# Good guess: a file of rules that empties its table first (`flush table`) and defines all anew has, once loaded, the values that stand
# in it, or else is refused.
# Wrong for named limits: `flush table` empties chains and leaves named objects, and defining a limit that exists changes nothing. nft
# exits 0 and says nothing; the old rate holds until the table is deleted or the machine restarted. Of a quota in the same file the new
# value is taken over, a comment of a counter's is not, and for a chain with another priority nft raises an error.
# Users meet it when they raise or lower a rate: the file is right, loading it succeeds, a fresh machine is right, and the one under
# load goes on with the old rate. Delete the table in the file (`table ip t; delete table ip t`) instead of flushing it.
# Debian 12: nftables 1.0.6; prints the kernel it ran on.
set -euo pipefail
command -v nft >/dev/null || { echo "apt-get install nftables"; exit 1; }
if test "${1:-}" != inside; then
  if test "$(id -u)" = 0; then exec unshare --net bash "$0" inside; else exec unshare --map-root-user --net bash "$0" inside; fi
fi

nft --version
uname -r
load() {
  nft -f /dev/stdin <<EOF
table ip t
$1 table ip t
table ip t {
  limit calm { rate $2/second; }
  quota daily { over $2 mbytes; }
  chain input {
    type filter hook input priority 0;
    icmp type echo-request limit name "calm" accept comment "$2"
  }
}
EOF
  code=$?
  seen="limit $(nft list limit ip t calm | grep -o '[0-9]*/second'), quota $(nft list quota ip t daily | grep -o '[0-9]* mbytes')"
  seen="$seen, comment $(nft list chain ip t input | grep -o 'comment "[0-9]*"' | tr -dc 0-9)"
  echo "$1 table, all with $2: exit $code; $seen"
}
load flush 10
test "$seen" = "limit 10/second, quota 10 mbytes, comment 10" || { echo "CHANGED"; exit 1; }
load flush 20
test "$seen" = "limit 10/second, quota 20 mbytes, comment 20" || { echo "CHANGED"; exit 1; }
load delete 20
test "$seen" = "limit 20/second, quota 20 mbytes, comment 20" || { echo "CHANGED"; exit 1; }
echo "as seen: the limit keeps the rate that it was made with"
