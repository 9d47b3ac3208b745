#!/usr/bin/env bash
# Good guess: in a transaction over etcd's JSON interface, `{"key": K, "value": V}` compares K's value with V, or is refused: the operator
# may be left out too (it is EQUAL), and the kind of the comparison follows from the field that is given.
# Wrong: the kind has a default of its own, VERSION. The value is not looked at, and the key's version is compared with 0: true for each
# key that does not exist, whatever V is, and false for each that does, also if its value is V. HTTP 200 in both cases. The same goes for
# "mod_revision" and "lease" without "target".
# Users meet it when they swap a value only if it is the one they have read: it never succeeds while the key is there, which looks as if
# another was faster, and the caller tries again and again; once the key is deleted, it succeeds for a value that nobody has written.
# Debian 12: etcd-server 3.4.23, curl.
set -euo pipefail
for tool in etcd curl ip; do command -v "$tool" >/dev/null || { echo "apt-get install etcd-server curl iproute2"; exit 1; }; done
if test "${1:-}" != inside; then
  if test "$(id -u)" = 0; then exec unshare --net bash "$0" inside; else exec unshare --map-root-user --net bash "$0" inside; fi
fi

ip link set lo up
folder="$(mktemp -d)"
etcd --data-dir "$folder/data" --log-level error >"$folder/log" 2>&1 &
server=$!
trap 'kill "$server" 2>/dev/null; wait "$server" 2>/dev/null || true; rm -rf "$folder"' EXIT
post() { curl --noproxy '*' --silent --max-time 10 --write-out ' HTTP %{http_code}' --data "$2" "http://127.0.0.1:2379/v3/$1"; }
for _ in $(seq 100); do curl --noproxy '*' --silent --max-time 1 http://127.0.0.1:2379/health >/dev/null && break; sleep 0.2; done
curl --noproxy '*' --silent http://127.0.0.1:2379/version
echo

# Compares; prints whether the comparison was true.
compared() {
  said="$(post kv/txn "{\"compare\": [$1]}")"
  grep -q 'HTTP 200$' <<<"$said" || { echo "$said" >&2; echo refused; return; }
  if grep -q '"succeeded":true' <<<"$said"; then echo true; else echo false; fi
}
there="$(printf there | base64)"
gone="$(printf gone | base64)"
one="$(printf one | base64)"
post kv/put "{\"key\": \"$there\", \"value\": \"$one\"}" >/dev/null

with="$(compared "{\"key\": \"$there\", \"target\": \"VALUE\", \"value\": \"$one\"}")"
without="$(compared "{\"key\": \"$there\", \"value\": \"$one\"}")"
echo "there = one, which is so:      with target: $with, without: $without"
test "$with $without" = "true false" || { echo "CHANGED"; exit 1; }
with="$(compared "{\"key\": \"$gone\", \"target\": \"VALUE\", \"value\": \"$one\"}")"
without="$(compared "{\"key\": \"$gone\", \"value\": \"$one\"}")"
echo "gone = one, which is not so:   with target: $with, without: $without"
test "$with $without" = "false true" || { echo "CHANGED"; exit 1; }
with="$(compared "{\"key\": \"$there\", \"target\": \"MOD\", \"mod_revision\": \"2\"}")"
without="$(compared "{\"key\": \"$there\", \"mod_revision\": \"2\"}")"
echo "there was written at 2, so:    with target: $with, without: $without"
test "$with $without" = "true false" || { echo "CHANGED"; exit 1; }
echo "as seen: without a target, another question is answered"
