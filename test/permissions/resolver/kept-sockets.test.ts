/** Answers that the resolver's process gives again by itself: to whom, within which rates, and until when. */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { assert, suite, type TestContext } from "../../harness.js";
import { inNetns } from "../firewall/backends.js";
import { noKernel } from "../netlink/backends.js";
import { echo, FLOOD, run, wired } from "./wired.js";

const test = suite("permissions/resolver/kept-sockets");
const needs = noKernel;
const ms = 60_000;

/** The plugin's answer is the query upside down, so that an answer which begins with the query's own id is a kept one. */
const TEXT = "-a-long-enough-query";

/**
 * Asks again and again until an answer is a kept one, and prints "kept"; then asks once for each line of `from TEXT` on standard input, and
 * prints "kept" or "asked".
 */
const CLIENT = `
const { createSocket } = require("node:dgram");
const [host, text] = process.argv.slice(1);
let n = 10;
const ask = (from, text) => new Promise((resolve) => {
  const id = String(n = n === 99 ? 10 : n + 1);
  const s = createSocket("udp4");
  s.on("message", (d) => { s.close(); resolve(String(d).startsWith(id) ? "kept" : "asked"); });
  s.bind(0, from, () => s.send(id + text, 53, host));
});
(async () => {
  while ((await ask("10.64.1.2", text)) !== "kept");
  console.log("kept");
  for await (const line of require("node:readline").createInterface({ input: process.stdin })) {
    const [from, other] = line.split(" ");
    console.log(await ask(from, other));
  }
})();`;

/** Starts the client, and waits until an answer was kept. The function returned sends one of its lines. */
async function client(t: TestContext, netns: string): Promise<(from: string, text: string) => Promise<string>> {
  const child = spawn("nsenter", [`--net=/run/netns/${netns}`, process.execPath, "-e", CLIENT, "10.64.1.1", TEXT], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  t.cleanup(async () => {
    child.kill("SIGKILL");
    await ended;
  });
  const lines = createInterface({ input: child.stdout });
  const line = (): Promise<string> => new Promise((resolve) => lines.once("line", resolve));
  assert.is(await line(), "kept");
  return (from, text) => {
    const answered = line();
    child.stdin.write(`${from} ${text}\n`);
    return answered;
  };
}

test(
  "a query that is repeated is answered without the plugin; other clients and other queries are not",
  async (t) => {
    const at = await wired(t);
    inNetns(at.client, "ip", "addr", "add", "10.64.1.3/24", "dev", "eth0");
    const opened = at.openResolver("bridge");
    await opened.ask("listen", { bridge: "bh-a", ip: "10.64.1.1" });
    const got = echo(t, opened, 1000);
    const ask = await client(t, at.client);
    const before = got.length;
    assert.is(await ask("10.64.1.3", TEXT), "asked");
    assert.is(await ask("10.64.1.2", `${TEXT}-`), "asked");
    assert.is(got.length, before + 2);
  },
  { ms, needs },
);

test(
  "a handler that takes over is asked at once",
  async (t) => {
    const at = await wired(t);
    const opened = at.openResolver("bridge");
    await opened.ask("listen", { bridge: "bh-a", ip: "10.64.1.1" });
    echo(t, opened, 1000);
    const ask = await client(t, at.client);
    await opened.ask("listen", { bridge: "bh-a", ip: "10.64.1.1" });
    assert.is(await ask("10.64.1.2", TEXT), "asked");
  },
  { ms, needs },
);

test(
  "what a former handler answers after that is given once",
  async (t) => {
    const at = await wired(t);
    const { ask, power } = at.openResolver("bridge");
    await ask("listen", { bridge: "bh-a", ip: "10.64.1.1" });
    for (const before of [true, false]) {
      const answered = run(at.client, FLOOD, "10.64.1.1", `id${TEXT}`, "1", "5000");
      let ids: readonly number[] = [];
      while (ids.length === 0) ids = ((await ask("next", "w1")) as unknown as { id: number }[]).map(({ id }) => id);
      if (before) await ask("listen", { bridge: "bh-a", ip: "10.64.1.1" });
      for (const id of ids)
        power.notices?.get("resolver.answer")?.([id, Buffer.from("id-an-answer").toString("base64"), 1000]);
      assert.is(await answered, "1 id-an-answer");
    }
  },
  { ms, needs },
);

test(
  "a flood of one query: the client gets its share a second, though the plugin need not be asked",
  async (t) => {
    const at = await wired(t);
    const opened = at.openResolver("bridge", { queriesPerSecond: 40, outstanding: 4 });
    await opened.ask("listen", { bridge: "bh-a", ip: "10.64.1.1" });
    const got = echo(t, opened, 1000);
    const [answered = 0] = (await run(at.client, FLOOD, "10.64.1.1", `id${TEXT}`, "5000", "2000"))
      .split(" ")
      .map(Number);
    // A busy machine needs some seconds to send them.
    assert.ok(
      answered > got.length && answered <= 200,
      `${answered} of 5000 are answered, ${got.length} by the plugin`,
    );
    // None of those is outstanding any more.
    assert.is(await run(at.client, FLOOD, "10.64.1.1", "after", "1", "3000"), "1 retfa");
  },
  { ms, needs },
);

test.run();
