/** The resolver's sockets in namespaces of the test's own: queries in, answers out, name servers asked, floods and lies withstood. */
import { spawn } from "node:child_process";
import type { Json } from "#dist/driverapi/json.js";
import type { KernelResolver } from "#dist/permissions/resolver/kernel/kernel-resolver.js";
import { assert, rejection, suite } from "../../harness.js";
import { inNetns } from "../firewall/backends.js";
import { noKernel } from "../netlink/backends.js";
import { echo, FLOOD, run, STREAM, wired } from "./wired.js";

const test = suite("permissions/resolver/sockets");
const needs = noKernel;
const ms = 60_000;

test(
  "queries come over UDP and TCP, from the bridge's own network alone, and answers return",
  async (t) => {
    const { openResolver, client, outside } = await wired(t);
    const opened = openResolver("bridge");
    await opened.ask("listen", { bridge: "bh-a", ip: "10.64.1.1" });
    await opened.ask("listen", { bridge: "bh-a", ip: "10.64.1.1" });
    const got = echo(t, opened);
    assert.is(await run(client, FLOOD, "10.64.1.1", "hello", "1", "3000"), "1 olleh");
    assert.is(await run(client, STREAM, "10.64.1.1", "one", "two", "three"), "eno owt eerht");
    assert.is(await run(outside, FLOOD, "10.64.1.1", "strange", "1", "700"), "0");
    assert.is(await run(outside, STREAM, "10.64.1.1", "strange"), "");
    assert.equal(got.sort(), ["tcp one", "tcp three", "tcp two", "udp hello"]);
    await opened.ask("stop", { ip: "10.64.1.1" });
    assert.is(await run(client, FLOOD, "10.64.1.1", "hello", "1", "700"), "0");
  },
  { ms, needs },
);

test(
  "floods: a client gets its share of the queries a second; oversized and endless messages are dropped",
  async (t) => {
    const { openResolver, client } = await wired(t);
    const opened = openResolver("bridge", { queriesPerSecond: 40 });
    await opened.ask("listen", { bridge: "bh-a", ip: "10.64.1.1" });
    const got = echo(t, opened);
    const [answered = 0] = (await run(client, FLOOD, "10.64.1.1", "flood", "5000", "2000")).split(" ").map(Number);
    // A busy machine needs some seconds to send them.
    assert.ok(answered >= 1 && answered <= 200, `${answered} of 5000 are answered`);
    const before = got.length;
    await run(client, FLOOD, "10.64.1.1", "x".repeat(5000), "1", "700");
    assert.is(await run(client, STREAM, "10.64.1.1", "x".repeat(5000)), "", "the connection is closed");
    assert.is(got.length, before);
    assert.is(await run(client, FLOOD, "10.64.1.1", "after", "1", "3000"), "1 retfa");
  },
  { ms, needs },
);

test(
  "a plugin that answers nothing: outstanding queries are bounded, and those of an ended worker go to the next",
  async (t) => {
    const { openResolver, client } = await wired(t);
    const opened = openResolver("bridge", { outstanding: 8 });
    await opened.ask("listen", { bridge: "bh-a", ip: "10.64.1.1" });
    const first = opened.ask("next", "w1");
    const flood = run(client, FLOOD, "10.64.1.1", "hello", "100", "2500");
    const taken = (await first) as unknown as Json[];
    assert.ok(taken.length >= 1);
    // The worker that took them has ended; the next one gets them, with what came meanwhile.
    const again: { id: number }[] = [];
    while (again.length < 2) again.push(...((await opened.ask("next", "w2")) as unknown as { id: number }[]));
    assert.is(again.length, 2, "a quarter of eight is one client's");
    for (const { id } of again)
      opened.power.notices?.get("resolver.answer")?.([id, Buffer.from("late").toString("base64")]);
    assert.match(await flood, /^[2-9] late$/);
  },
  { ms, needs },
);

/** A name server that answers: first lies with another id, and from another port; then the truth. Then says who asked. */
const LIAR = `
const s = require("node:dgram").createSocket("udp4"), other = require("node:dgram").createSocket("udp4");
s.on("message", (q, from) => {
  const lie = Buffer.concat([q, Buffer.from("lie")]); lie.writeUInt16BE((q.readUInt16BE(0) + 1) & 0xffff, 0);
  s.send(lie, from.port, from.address, () => {
    const forged = Buffer.concat([q, Buffer.from("forged")]);
    other.send(forged, from.port, from.address, () => setTimeout(() => s.send(Buffer.concat([q, Buffer.from("true " + from.port)]), from.port, from.address), 50));
  });
});
s.bind(53, "192.0.2.53", () => console.log("ready"));`;

test(
  "name servers: replies with another id or from another port are ignored; each question has a port and an id of its own",
  async (t) => {
    const { openResolver, outside } = await wired(t);
    const opened = openResolver("bridge");
    const server = spawn("nsenter", [`--net=/run/netns/${outside}`, process.execPath, "-e", LIAR], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    t.cleanup(() => void server.kill("SIGKILL"));
    await new Promise((resolve) => server.stdout.once("data", resolve));
    await opened.ask("listen", { bridge: "bh-a", ip: "10.64.1.1" });
    const question = Buffer.from("idheader----body", "latin1");
    const replies = await Promise.all(
      Array.from({ length: 8 }, () =>
        opened.ask("ask", { server: "192.0.2.53", message: question.toString("base64"), tcp: false }),
      ),
    );
    const texts = replies.map((reply) => Buffer.from(String(reply), "base64").toString("latin1"));
    for (const text of texts) assert.match(text, /^idheader----bodytrue \d+$/);
    assert.ok(new Set(texts).size > 1, "ports differ");
    const error = await rejection(
      opened.ask("ask", { server: "[2001:db8::53]:5353", message: question.toString("base64"), tcp: false }),
    );
    assert.is(error.code, "ERR_RESOLVER_FAILED");
  },
  { ms, needs },
);

test(
  "the process is killed: it is started again and serves; it ends with its host, and has one capability",
  async (t) => {
    const { openResolver, resolver, client } = await wired(t);
    const backend = resolver.backend as KernelResolver;
    const { heard } = backend;
    const ids: number[] = [];
    backend.heard = (query) => {
      ids.push(query.id);
      heard(query);
    };
    const opened = openResolver("bridge");
    await opened.ask("listen", { bridge: "bh-a", ip: "10.64.1.1" });
    echo(t, opened);
    assert.is(await run(client, FLOOD, "10.64.1.1", "once", "1", "3000"), "1 ecno");
    const pid = backend.pid ?? 0;
    const status = inNetns(client, "cat", `/proc/${pid}/status`);
    assert.match(status, /CapBnd:\s+0000000000000400/);
    process.kill(pid, "SIGKILL");
    while (backend.pid === undefined || backend.pid === pid) await new Promise((resolve) => setImmediate(resolve));
    let answer = "";
    while (!answer.startsWith("1 ")) answer = await run(client, FLOOD, "10.64.1.1", "again", "1", "500");
    assert.is(answer, "1 niaga");
    assert.is(new Set(ids).size, ids.length, `the next process continues elsewhere: ${ids.join(", ")}`);
    await resolver.close();
    assert.is(backend.pid, undefined);
  },
  { ms, needs },
);

test(
  "a port that another program has at every address: the error says so",
  async (t) => {
    const { openResolver, netns } = await wired(t);
    const other = spawn(
      "nsenter",
      [
        `--net=/run/netns/${netns}`,
        process.execPath,
        "-e",
        `require("node:dgram").createSocket("udp4").bind(53, () => console.log("ready"))`,
      ],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    t.cleanup(() => void other.kill("SIGKILL"));
    await new Promise((resolve) => other.stdout.once("data", resolve));
    const error = await rejection(openResolver("bridge").ask("listen", { bridge: "bh-a", ip: "10.64.1.1" }));
    assert.match(error.message, /10\.64\.1\.1 port 53: EADDRINUSE; /);
  },
  { ms, needs },
);

test.run();
