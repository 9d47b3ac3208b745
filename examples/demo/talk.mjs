/**
 * Two ends of a TCP connection, each a process in a namespace of its own.
 *   node talk.mjs serve ADDRESS            echoes lines; says on which port
 *   node talk.mjs ask ADDRESS PORT MS      sends a numbered line every MS, says each that is answered, sums up at the end
 * Both end with their standard input: nothing is left when the demonstration is killed outright.
 */
import { connect, createServer } from "node:net";
import { createInterface } from "node:readline";

const [, , role, address, port, every] = process.argv;
process.on("SIGINT", () => {});
process.stdin.resume().on("end", () => (role === "ask" ? finish() : process.exit(0)));

let finish = () => process.exit(0);
if (role === "serve") {
  const server = createServer({ noDelay: true }, (socket) => socket.pipe(socket).on("error", () => {}));
  server.listen(0, address, () => console.log(server.address().port));
} else {
  const gaps = [];
  let sent = 0;
  let last;
  const socket = connect({ host: address, port: Number(port), noDelay: true });
  const fail = (error) => {
    console.error(error.message);
    process.exit(1);
  };
  socket.setTimeout(10_000, () => fail(new Error("nothing came for 10 s"))).on("error", fail);
  socket.on("close", () => fail(new Error("the connection was closed")));
  socket.on("connect", () => {
    const say = () => socket.write(`${++sent}\n`);
    say();
    const timer = setInterval(say, Number(every));
    finish = () => {
      clearInterval(timer);
      console.log(JSON.stringify({ lines: gaps.length, longestGapMs: Math.round(Math.max(...gaps)) }));
      process.exit(0);
    };
  });
  createInterface({ input: socket }).on("line", (line) => {
    if (Number(line) !== gaps.length + 1) fail(new Error(`line ${gaps.length + 1} came back as ${line}`));
    const now = performance.now();
    gaps.push(now - (last ?? now));
    last = now;
    console.log(line);
  });
}
