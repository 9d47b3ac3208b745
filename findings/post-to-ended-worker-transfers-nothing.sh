#!/usr/bin/env bash
# Good guess: posting a port to a worker in a transfer list gives it away, and a worker that is gone is noticed by "close" on the port's
# other end, as when a worker ends without reading its messages, or the other end of a MessagePort is closed.
# Wrong for a worker that has ended: `worker.postMessage()` returns without looking at its arguments. It throws nothing, the transfer list
# is not carried out, ArrayBuffers stay attached, and the port kept waits forever for a message or "close"; it keeps the process alive.
# Users meet it when each call to a worker has a MessageChannel of its own for its reply: a call just before the worker ends is rejected
# by "close", one just after it never settles. Code that takes its buffer for given away has it still. Ask `worker.threadId === -1`
# before each post; what the listener of "exit" posts is lost already.
# Node 26.10.0, from the npm package `node`; 20.20.2, 22.23.3 and 24.21.0 do the same.
set -euo pipefail
command -v npm >/dev/null || { echo "needs npm"; exit 1; }
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat >post.cjs <<'JS'
const { MessageChannel, Worker } = require("node:worker_threads");
const { once } = require("node:events");
const { setTimeout: sleep } = require("node:timers/promises");

/** Posts a port and a buffer; says what has become of them half a second later. */
async function post(target, afterwards) {
  const { port1: kept, port2: given } = new MessageChannel();
  const buffer = new ArrayBuffer(8);
  let closed = "still open";
  kept.on("message", () => {});
  kept.once("close", () => (closed = "closed"));
  target.postMessage({ given, buffer }, [given, buffer]);
  await afterwards?.();
  await sleep(500);
  kept.close();
  return `buffer ${buffer.byteLength === 0 ? "detached" : "attached"}, port ${closed}`;
}

(async () => {
  const unread = new Worker("setInterval(() => {}, 1000)", { eval: true });
  await once(unread, "online");
  console.log(`worker that ends without reading: ${await post(unread, () => unread.terminate())}`);

  const { port1, port2 } = new MessageChannel();
  port1.on("message", () => {});
  port2.close();
  await once(port1, "close");
  console.log(`MessagePort with its other end closed: ${await post(port1)}`);

  const ended = new Worker("", { eval: true });
  await once(ended, "exit");
  console.log(`worker that has ended: ${await post(ended)}`);
})();
JS
expected='worker that ends without reading: buffer detached, port closed
MessagePort with its other end closed: buffer detached, port closed
worker that has ended: buffer attached, port still open'
npm install --no-audit --no-fund --silent node@26.10.0 >/dev/null
node="$(find "$folder/node_modules" -type f -path '*/bin/node' -perm -u+x -print -quit)"
"$node" --version
said="$("$node" post.cjs)"
echo "$said"
[ "$said" = "$expected" ] || { echo "this has changed"; exit 1; }
