#!/usr/bin/env bash
# Good guess: a child started by fork() hears "disconnect" when its parent ends, however it ends, so a helper process can end on it.
# Wrong while a socket that the child has sent is not confirmed yet: `process.connected` becomes false, but the event never comes.
# Users meet it with workers that accept connections and hand them to their parent (a proxy, a process manager): the parent is killed
# under load, and the children, which end on "disconnect", run on. A pipe to the parent, such as standard input, closes in any case.
# npm package node 20.20.2.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --no-audit --no-fund --silent node@20.20.2
node="$(find "$folder/node_modules" -type f -path '*/bin/node' -perm -u+x -print -quit)"
"$node" --version
cat >parent.cjs <<'JS'
const child = require("node:child_process").fork("./child.cjs", [process.argv[2]], { detached: true });
// The message at which the parent is killed.
child.on("message", (text) => text === process.argv[3] && process.kill(process.pid, "SIGKILL"));
JS
cat >child.cjs <<'JS'
const { connect, createServer } = require("node:net");
const { writeFileSync } = require("node:fs");
const end = (what) => { writeFileSync(process.argv[2], `${what}, connected: ${process.connected}\n`); process.exit(); };
process.once("disconnect", () => end("disconnect"));
setTimeout(() => end("no disconnect within 5 s"), 5000);
const server = createServer().listen(0, "127.0.0.1", () => {
  const [one, two] = [0, 1].map(() => connect(server.address().port, "127.0.0.1"));
  two.once("connect", () => {
    process.send("plain");
    process.send("first", one, () => {});
    process.send("second", two, () => {});
  });
});
JS
seen() {
  "$node" parent.cjs "$folder/$1" "$1" 2>/dev/null || true
  for _ in $(seq 80); do test -s "$folder/$1" && break; sleep 0.1; done
  cat "$folder/$1"
}
got="$(seen first 2>/dev/null)"
echo "the parent is killed at the first of two sockets: $got"
test "$got" = "no disconnect within 5 s, connected: false" || { echo "CHANGED"; exit 1; }
