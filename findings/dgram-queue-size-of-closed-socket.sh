#!/usr/bin/env bash
# Good guess: on a closed UDP socket every method of Node's `dgram` fails in the same way: `send` and `address` throw an error with the
# code ERR_SOCKET_DGRAM_NOT_RUNNING, and so do those that ask for its queue and its buffers.
# Wrong in Node 20, 24 and 26: `getSendQueueSize`, `getSendQueueCount` and `getSendBufferSize` throw a TypeError without a code
# ("Cannot read properties of null").
# Users meet it in servers that answer datagrams late and ask for the queue first, so as not to fill it for a slow client: a handler
# that expects the code, or that guards `send` alone, lets the TypeError through.
# Node 20.20.0, 24.21.0 and 26.10.0, from the npm package `node`. Loopback only; nothing is sent.
set -euo pipefail
command -v npm >/dev/null || { echo "needs npm"; exit 1; }
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat > closed.mjs <<'JS'
import { createSocket } from "node:dgram";
import { once } from "node:events";
const socket = createSocket("udp4").bind(0, "127.0.0.1");
await once(socket, "listening");
const { port } = socket.address();
socket.close();
const said = (call) => {
  try {
    return `returned ${call()}`;
  } catch ({ name, code }) {
    return code ?? name;
  }
};
const calls = {
  send: () => socket.send("late", port, "127.0.0.1"),
  address: () => socket.address(),
  getSendQueueSize: () => socket.getSendQueueSize(),
  getSendQueueCount: () => socket.getSendQueueCount(),
  getSendBufferSize: () => socket.getSendBufferSize(),
};
console.log(Object.entries(calls).map(([name, call]) => `${name} ${said(call)}`).join(", "));
JS
expected="send ERR_SOCKET_DGRAM_NOT_RUNNING, address ERR_SOCKET_DGRAM_NOT_RUNNING, getSendQueueSize TypeError, getSendQueueCount TypeError, getSendBufferSize TypeError"
failed=0
for version in 20.20.0 24.21.0 26.10.0; do
  mkdir "$version"
  npm install --prefix "$version" --no-audit --no-fund --silent "node@$version" >/dev/null
  node="$(find "$version/node_modules" -type f -path '*/bin/node' -perm -u+x -print -quit)"
  said="$("$node" closed.mjs)"
  echo "Node $("$node" --version): $said"
  [ "$said" = "$expected" ] || failed=1
done
[ "$failed" = 0 ] || { echo "this has changed"; exit 1; }
