#!/usr/bin/env bash
# Good guess: when a client goes, every response that its connection still waits for emits "close", so work behind a response can be
# ended there (`response.on("close", ...)`), as Node's pages and most libraries do.
# Wrong in Node 20 and 22 for pipelined requests: only the first response that is not finished emits it. Those that wait behind it never
# do, though each of their requests emits "close". In Node 24 all of them do.
# Users meet it as a leak: timers, database cursors or upstream requests of such responses never end. Clients and proxies that
# pipeline are rare, and a test with one request per connection does not show it. Ending the work on the request's "close" works in all.
# Node 22.23.3 and 24.21.0, from the npm package `node`.
set -euo pipefail
command -v npm >/dev/null || { echo "needs npm"; exit 1; }
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat > gone.cjs <<'JS'
const http = require("node:http");
const net = require("node:net");
const closed = { response: [], request: [] };
let socket;
const server = http.createServer((request, response) => {
  response.on("close", () => closed.response.push(request.url));
  request.on("close", () => closed.request.push(request.url));
  // Nothing is answered. The client goes when the server has seen its last request.
  if (request.url === "/3") setTimeout(() => socket.destroy(), 100);
});
server.listen(0, "127.0.0.1", () => {
  socket = net.connect(server.address().port, "127.0.0.1", () => {
    for (const path of ["/1", "/2", "/3"]) socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  });
  socket.once("close", () =>
    setTimeout(() => {
      console.log(`responses ${closed.response.join(" ")}; requests ${closed.request.join(" ")}`);
      process.exit();
    }, 500),
  );
});
JS
run() {
  mkdir "$1"
  npm install --prefix "$1" --no-audit --no-fund --silent "node@$1" >/dev/null
  local node
  node="$(find "$1/node_modules" -type f -path '*/bin/node' -perm -u+x -print -quit)"
  "$node" gone.cjs
}
before="$(run 22.23.3)"
after="$(run 24.21.0)"
echo "Node 22.23.3: $before"
echo "Node 24.21.0: $after"
[ "$before" = "responses /1; requests /1 /2 /3" ] || { echo "Node 22 behaves otherwise now"; exit 1; }
[ "$after" = "responses /1 /2 /3; requests /1 /2 /3" ] || { echo "Node 24 behaves otherwise now"; exit 1; }
