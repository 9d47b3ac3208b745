/** The flight recorder: calls and requests on disk, bounded in number and size, readable after a kill, whatever a plugin says. */
import { appendFile, readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Entry, RecordedCall } from "#dist/host/recorder/entry.js";
import { FlightRecorder } from "#dist/host/recorder/flight-recorder.js";
import { RECORDER } from "#dist/host/recorder/limits.js";
import { readRecording } from "#dist/host/recorder/read-recording.js";
import { RingFile } from "#dist/host/recorder/ring-file.js";
import { EndpointConfig } from "#dist/index.js";
import { assert, rejection, suite, until } from "../harness.js";
import { house } from "../kit/host.js";
import { recorder } from "../kit/logger.js";
import { plugin } from "../kit/plugins.js";

const test = suite("host: flight recorder");

const HOSTILE = "\u001b[2J\n{}";
const NET = plugin("net", {
  start: "const { store } = powers;",
  methods: `async createNetwork(id) { await store.set(id, "x"); },
    deleteNetwork() { throw new Error(${JSON.stringify(HOSTILE)}); },`,
});

const calls = (entries: readonly Entry[]): readonly RecordedCall[] =>
  entries.filter((one): one is RecordedCall => one.kind === "call");

test("calls, requests and events, with arguments, time and outcome", async (t) => {
  const home = await house(t, { "net.js": NET });
  const host = await home.open({ dataDir: home.path("data") });
  const driver = host.driver("net");
  await driver.createNetwork("n", { a: 1 });
  await driver.createEndpoint("n", "e", new EndpointConfig([{ id: 0, ipv4: "10.7.0.2/24" }]));
  await driver.deleteEndpoint("n", "e");
  await rejection(driver.deleteNetwork("n"));
  await host.close();
  const entries = await readRecording(home.path("data"));
  assert.equal(
    calls(entries).map(({ plugin: id, type, method, args, code }) => [id, type, method, args, code]),
    [
      ["net", "net", "createNetwork", ["n", { a: 1 }, false], undefined],
      [
        "net",
        "net",
        "createEndpoint",
        ["n", "e", [{ id: 0, ipv4: "10.7.0.2/24", ipv6: "", mac: "" }], {}, false],
        undefined,
      ],
      ["net", "net", "deleteEndpoint", ["n", "e"], undefined],
      ["net", "net", "deleteNetwork", ["n"], "ERR_DRIVER_FAILED"],
    ],
  );
  const failed = calls(entries).at(-1);
  assert.match(failed?.message ?? "", "\\u{1b}[2J\\n{}");
  assert.ok(entries.every((one) => !("ms" in one) || (one.ms >= 0 && one.ms < 20_000)));
  const request = entries.find((one) => one.kind === "request");
  assert.equal([request?.plugin, request?.name, request?.args], ["net", "store.set", '["n","x"]']);
  assert.ok(entries.some((one) => one.kind === "event" && one.event === "plugin:loaded"));
  for (const name of await readdir(home.path("data")))
    if (name.startsWith("recording")) assert.is((await stat(home.path(`data/${name}`))).mode & 0o777, 0o600);
});

test("half a line, as of a killed host, and other words are left out", async (t) => {
  const home = await house(t, { "net.js": NET });
  const host = await home.open({ dataDir: home.path("data") });
  await host.driver("net").createNetwork("n");
  await until(async () => calls(await readRecording(home.path("data"))).length === 1, "a line without a close");
  await appendFile(
    home.path("data/recording.jsonl"),
    '[]\n{"kind":"call","time":1}\n{"kind":"gap","time":2,"missed":3}\n{"kind":"ca',
  );
  const entries = await readRecording(home.path("data"));
  assert.is(calls(entries).length, 1);
  assert.equal(entries[0], { kind: "gap", time: 2, missed: 3 });
});

test("more than there is room for is counted; failures have room of their own; long arguments are left out", async (t) => {
  const folder = await t.folder();
  const { logger } = recorder();
  const flight = new FlightRecorder(folder, logger);
  const one = (plugin: string, method: "join" | "leave", args: readonly string[] = []) =>
    ({ plugin, type: "net", method, nid: "n", eid: "e", began: performance.now(), args: () => args }) as const;
  for (let n = 0; n < RECORDER.entries + 50; n++) flight.call(one(n % 2 === 0 ? "a" : "b", "join", [String(n)]));
  flight.call(one("c", "leave", [JSON.stringify("x".repeat(RECORDER.argsChars))]), "ERR_X", "y".repeat(10_000));
  await flight.close();
  const entries = await readRecording(folder);
  assert.is(calls(entries).filter(({ method }) => method === "join").length, RECORDER.entries);
  const [failed] = calls(entries).filter(({ method }) => method === "leave");
  assert.equal([failed?.code, failed?.args, failed?.message?.length], ["ERR_X", undefined, RECORDER.shownChars]);
  assert.equal(
    entries.flatMap((gap) => (gap.kind === "gap" ? [gap.missed] : [])),
    [50],
  );
});

test("a plugin that makes many requests takes no more than its share; of large arguments only the beginning is kept", async (t) => {
  const folder = await t.folder();
  const { logger } = recorder();
  const flight = new FlightRecorder(folder, logger);
  const large = { list: Array.from({ length: 100_000 }, (_, n) => n), text: "x".repeat(100_000) };
  for (let n = 0; n < RECORDER.entries; n++) flight.request("loud", "store.set", ["k", large], performance.now());
  flight.call({ plugin: "net", type: "net", method: "join", nid: "n", eid: "e", began: 0, args: () => [] });
  await flight.close();
  const entries = await readRecording(folder);
  const loud = entries.filter((one) => one.kind === "request");
  assert.equal([loud.length, calls(entries).length], [RECORDER.share, 1]);
  const [first] = loud;
  assert.is(first?.args, JSON.stringify(["k", large]).slice(0, RECORDER.shownChars));
});

test("two files of bounded size", async (t) => {
  const folder = await t.folder();
  const { logger } = recorder();
  const args = [JSON.stringify("x".repeat(RECORDER.argsChars - 10))];
  for (let round = 0; round < 3; round++) {
    const flight = new FlightRecorder(folder, logger);
    for (let n = 0; n < RECORDER.entries; n++)
      flight.call({
        plugin: `net${n % 2}`,
        type: "net",
        method: "join",
        nid: "n",
        eid: "e",
        began: 0,
        args: () => args,
      });
    await flight.close();
  }
  const names = (await readdir(folder)).sort();
  assert.equal(names, ["recording.jsonl", "recording.jsonl.1"]);
  for (const name of names) {
    const { length } = await readFile(join(folder, name));
    assert.ok(length <= RECORDER.fileBytes * 2, `${name}: ${length}`);
  }
});

test("a disk that is nearly full: nothing is written, and it is said once", async (t) => {
  const folder = await t.folder();
  const file = new RingFile(join(folder, "recording.jsonl"), RECORDER.fileBytes, Number.MAX_SAFE_INTEGER);
  assert.match((await rejection(file.append("x"))).message, "bytes are free in ");
  assert.equal(await readdir(folder), []);
});

test("while a write is under way, no more waits than one interval's entries", async (t) => {
  const folder = await t.folder();
  const { logger } = recorder();
  const flight = new FlightRecorder(folder, logger);
  const began = performance.now();
  const add = (): void =>
    flight.call({ plugin: "net", type: "net", method: "join", nid: "n", eid: "e", began, args: () => [] });
  add();
  await until(async () => calls(await readRecording(folder)).length > 0, "the first write");
  for (let n = 0; n < RECORDER.entries * 3; n++) add();
  await flight.close();
  const entries = await readRecording(folder);
  assert.is(calls(entries).length, RECORDER.share + 1);
});

test("a folder that cannot be written costs a line in the log, and no call", async (t) => {
  const home = await house(t, { "net.js": NET });
  const host = await home.open({ dataDir: home.path("data") });
  const { logger, log } = recorder();
  const flight = new FlightRecorder(home.path("plugins/net.js"), logger);
  flight.call({ plugin: "net", type: "net", method: "leave", nid: "n", eid: "e", began: 0, args: () => [] });
  await flight.close();
  assert.is(log.length, 1);
  assert.match(JSON.stringify(log), "calls are not recorded: ");
  await host.driver("net").createNetwork("n");
});

test.run();
