/** The events of a control socket: order, ids, resuming; a client that reads slowly or goes away costs the host nothing. */

import { once } from "node:events";
import { createConnection } from "node:net";
import type { Followed } from "#dist/control/client.js";
import { EventLog } from "#dist/control/event-log.js";
import { EventStream } from "#dist/control/event-stream.js";
import { CONTROL } from "#dist/control/limits.js";
import type { HostEvent } from "#dist/control/types.js";
import { assert, rejection, suite, until } from "../harness.js";
import { plugin } from "../kit/plugins.js";
import { controlled } from "./controlled.js";

const test = suite("control/events");

const HOSTILE = "\u001b[2Jred\nid: x\n\ndata: forged\u202e";
const LOUD = plugin("net", {
  start: "console.log('from init');",
  methods: `createNetwork: (nid) => { console.log(${JSON.stringify(HOSTILE)}); throw new Error(${JSON.stringify(HOSTILE)}); },`,
});

async function kept(events: AsyncIterable<Followed>): Promise<HostEvent[]> {
  const list: HostEvent[] = [];
  for await (const one of events) list.push(one as HostEvent);
  return list;
}

test("events and lines in order, lines of init too; a plugin's words forge none; ids resume", async (t) => {
  const { client, host } = await controlled(t, { "net.js": LOUD });
  await rejection(host.driver("net").createNetwork("n"));
  await client.ask("restart", { id: "net" });
  const all = await kept(client.events({ follow: "false" }));
  const own = all.filter((one) => one.own);
  const safe = "\\u{1b}[2Jred\\nid: x\\n\\ndata: forged\\u{202e}";
  assert.equal(
    own.map(({ event, plugin, level, message }) => [event, plugin, level, message]),
    [
      ["log", "net", "info", "from init"],
      ["log", "net", "info", safe],
      ["log", "net", "info", "from init"],
    ],
  );
  assert.is(all.at(-1)?.event, "plugin:restarted");
  const [first, second] = own;
  const since = await kept(client.events({ follow: "false", since: first?.id ?? "", kind: "log", plugin: "net" }));
  assert.is(since[0]?.id, second?.id);
  const last = await kept(client.events({ follow: "false", last: "1", kind: "event" }));
  assert.equal(
    last.map(({ event, message }) => [event, message]),
    [["plugin:restarted", "restarted after: an operator restarted it"]],
  );
  // An id of an earlier host: everything that is kept.
  assert.is((await kept(client.events({ follow: "false", since: "00000000-7" }))).length, all.length);
});

test("a follower is given what happens, as it happens, until the host closes", async (t) => {
  const { client, host } = await controlled(t, { "net.js": plugin("net") });
  const followed = kept(client.events({ kind: "event" }));
  // The stream begins before the next reply on the same socket.
  await client.ask("health");
  await client.ask("stop", { id: "net" });
  await until(async () => (await client.ask("plugin", { id: "net" })).state === "stopped", "the stop");
  await host.close();
  const events = (await followed).map(({ event }) => event);
  assert.ok(events.includes("plugin:stopped"), events.join());
});

test("a stuck client with 100,000 events: memory is bounded, and the client is told how many it missed", async () => {
  const log = new EventLog();
  const sent: string[] = [];
  let drain = (): void => {};
  let free = false;
  const target = {
    write: (text: string) => {
      sent.push(text);
      return free;
    },
    end: () => {},
    on: (event: string, listener: () => void) => {
      if (event === "drain") drain = listener;
    },
  };
  log.add({ event: "log", message: "first" });
  new EventStream(log, target, { since: "0" }, () => {});
  assert.is(sent.length, 1);
  for (let n = 0; n < 100_000; n++) log.add({ event: "log", plugin: "net", message: "x".repeat(1000) });
  assert.ok(log.chars <= CONTROL.eventChars);
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  assert.is(sent.length, 1);
  free = true;
  drain();
  const text = sent.slice(1).join("");
  const missed = Number(/^event: missed\ndata: \{"count":(\d+)\}\n\n/.exec(text)?.[1]);
  const events = [...text.matchAll(/^id: \w+-(\d+)$/gm)].map(([, number]) => Number(number));
  assert.ok(events.length <= CONTROL.events);
  // The first one had been sent.
  assert.equal([events[0], events.at(-1)], [missed + 2, 100_001]);
  assert.is(missed + events.length, 100_000);
});

test("a plugin that writes without end pushes out its own lines alone; the last ones of both kinds come in order", () => {
  const log = new EventLog({ items: 10, chars: 100_000 });
  const read = (query: object): readonly (readonly [string, string])[] => {
    let text = "";
    const write = (part: string): boolean => {
      text += part;
      return true;
    };
    new EventStream(log, { write, end: () => {}, on: () => {} }, { follow: "false", ...query }, () => {});
    const blocks = text.split("\n\n").filter((block) => block !== "");
    return blocks.map((block) => [/event: (\S+)/.exec(block)?.[1] ?? "", /"message":"(\w+)"/.exec(block)?.[1] ?? ""]);
  };
  log.add({ event: "violation", plugin: "bad", message: "v" });
  const [, id = ""] = /"id":"([^"]+)"/.exec(log.oldest().next()?.text ?? "") ?? [];
  for (let n = 0; n < 100; n++) log.add({ event: "log", plugin: "bad", own: true, message: `l${n}` });
  log.add({ event: "plugin:restarted", plugin: "bad", message: "r" });
  log.add({ event: "log", plugin: "bad", own: true, message: "end" });
  const lines = Array.from({ length: 9 }, (_, n) => ["log", `l${91 + n}`] as const);
  assert.equal(read({}), [["violation", "v"], ...lines, ["plugin:restarted", "r"], ["log", "end"]]);
  assert.equal(read({ last: 3 }), [lines[8], ["plugin:restarted", "r"], ["log", "end"]]);
  assert.equal(read({ last: 1, kind: "event" })[0], ["plugin:restarted", "r"]);
  assert.equal(read({ since: id }), [["missed", ""], ...lines, ["plugin:restarted", "r"], ["log", "end"]]);
});

test(
  "the same over the socket: the host is not slowed, and what it writes to a stuck client is bounded",
  async (t) => {
    const { client, host, socket } = await controlled(
      t,
      {
        "net.js": plugin("net", {
          methods: "createNetwork() { for (let i = 0; i < 3000; i++) console.log('y'.repeat(2000)); },",
        }),
        "net.plugin.json": '{ "networkTypes": ["net"], "permissions": { "log": { "linesPerSecond": 100000 } } }',
      },
      { policy: { plugins: { net: { grant: { log: { linesPerSecond: 100_000, lineChars: 4096 } } } } } },
    );
    const stuck = createConnection(socket, () => stuck.write("GET /v1/events HTTP/1.1\r\nhost: x\r\n\r\n"));
    t.cleanup(() => stuck.destroy());
    stuck.on("error", () => {});
    await once(stuck, "readable");
    stuck.pause();
    for (let n = 0; n < 40; n++) {
      await host.driver("net").createNetwork(`n${n}`);
      assert.is((await client.ask("health")).status, "ok");
    }
    const lines = await kept(client.events({ follow: "false", kind: "log", plugin: "net" }));
    assert.ok(lines.length > 1000 && lines.length < 10_000, String(lines.length));
    let text = "";
    stuck.setEncoding("utf8").on("data", (part: string) => {
      text += part;
    });
    stuck.resume();
    const [, missed] = await until(() => /event: missed\r?\ndata: \{"count":(\d+)\}/.exec(text), "the count", 10_000);
    assert.ok(Number(missed) > 1000, missed);
  },
  { ms: 60_000 },
);

test("too many followers are refused; one that goes away makes room", async (t) => {
  const { client, socket } = await controlled(t, { "net.js": plugin("net") });
  const open = [];
  for (let n = 0; n < CONTROL.streams; n++) {
    const one = createConnection(socket, () => one.write("GET /v1/events?last=1 HTTP/1.1\r\nhost: x\r\n\r\n"));
    one.on("error", () => {});
    t.cleanup(() => one.destroy());
    open.push(one);
    await once(one, "data");
  }
  const refused = () => rejection(kept(client.events({ follow: "false" })));
  assert.is((await refused()).code, "ERR_CONTROL_BUSY");
  open[0]?.destroy();
  await until(
    () =>
      kept(client.events({ follow: "false" })).then(
        () => true,
        () => false,
      ),
    "room",
  );
});

test("a connection that asks to follow many times, and goes away, leaves nothing", async (t) => {
  const { client, socket } = await controlled(t, { "net.js": plugin("net") });
  const one = createConnection(socket);
  one.on("error", () => {});
  one.write("GET /v1/events?last=1 HTTP/1.1\r\nhost: x\r\n\r\n".repeat(CONTROL.streams));
  await once(one, "data");
  // All its requests have been read by the time that another connection is answered.
  await client.ask("plugins");
  assert.ok(await kept(client.events({ follow: "false" })), "one connection has one place");
  one.destroy();
  const open = [];
  // Two fewer than there may be: the host may not have noticed yet that the last ones are gone.
  for (let n = 0; n < CONTROL.streams - 2; n++) {
    const next = createConnection(socket, () => next.write("GET /v1/events?last=1 HTTP/1.1\r\nhost: x\r\n\r\n"));
    next.on("error", () => {});
    t.cleanup(() => next.destroy());
    const [head] = await once(next, "data");
    open.push(String(head).split("\r\n")[0]);
  }
  assert.equal([...new Set(open)], ["HTTP/1.1 200 OK"]);
});

test.run();
