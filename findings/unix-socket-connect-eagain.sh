#!/usr/bin/env bash
# Good guess: a server that is busy for a moment has its new connections wait in the backlog and, beyond it, in the clients' kernels, as
# with TCP: slower, and without an error.
# Wrong over a Unix socket: the kernel has no such wait for a non-blocking connect. What is beyond the backlog (Node: 511) fails at once
# with EAGAIN, which Node passes on as the connection's error, though nothing is wrong with the server. TCP on loopback, same numbers:
# every connection waits.
# Users meet it in bursts against a local daemon's socket (an engine, a database, a proxy): "connect EAGAIN /run/….sock".
# Clients need a limit of connections or to try again on EAGAIN. Node 20.20.2; prints the one it ran on.
set -euo pipefail
command -v node >/dev/null || { echo "needs Node 20 or later"; exit 1; }
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat > server.mjs <<'JS'
import net from "node:net";
const where = process.argv[2] === "tcp" ? { port: 0, host: "127.0.0.1" } : { path: process.argv[2] };
const server = net.createServer((socket) => socket.end("hello"));
server.listen(where, () => process.send(server.address()));
// Busy for two seconds, as with one long piece of work.
process.once("message", () => {
  process.send("busy");
  for (const end = Date.now() + 2000; Date.now() < end; );
});
JS
cat > client.mjs <<'JS'
import { fork } from "node:child_process";
import { once } from "node:events";
import net from "node:net";
const outcomes = {};
for (const kind of ["tcp", "server.sock"]) {
  const server = fork("server.mjs", [kind]);
  const [address] = await once(server, "message");
  server.send("be busy");
  await once(server, "message");
  const counts = {};
  const count = (what) => (counts[what] = (counts[what] ?? 0) + 1);
  const one = () =>
    new Promise((resolve) => {
      const socket = net.connect(kind === "tcp" ? address : { path: kind });
      socket.on("data", () => count("answered"));
      socket.on("error", ({ code }) => count(code));
      socket.on("close", resolve);
    });
  // More than the backlog holds.
  await Promise.all(Array.from({ length: 800 }, one));
  server.kill();
  outcomes[kind] = counts;
}
console.log(process.version, JSON.stringify(outcomes));
const unix = outcomes["server.sock"];
if (outcomes.tcp.answered !== 800) throw new Error("CHANGED: over TCP not all are answered");
if (!(unix.EAGAIN > 0) || unix.EAGAIN + unix.answered !== 800) throw new Error("CHANGED: over the Unix socket none fails");
JS
node client.mjs
echo "as seen"
