/** Class G on the ports that are not the link's: Piscina's, `parentPort`, and the one Node keeps for itself. */
import { assert, suite, until } from "../harness.js";
import { attack, type Expected, malloryInfo, type OwnedHost, ownedHost, plainDriver, unharmed } from "./owned-host.js";

const test = suite("hostile: class G, the other ports");

let shared: Promise<OwnedHost> | undefined;
const foreign: Expected = { code: "ERR_PROTOCOL", detail: /not text/ };

const running: ReadonlyArray<[string, Record<string, unknown>, Expected]> = [
  ["Piscina's port is closed once the session has begun: nothing arrives", { name: "piscina" }, "nothing"],
  ["parentPort is closed once the session has begun: nothing arrives", { name: "parent" }, "nothing"],
  ["null on Node's own port", { name: "node", message: "null" }, foreign],
  ["an unknown message on Node's own port", { name: "node", message: { type: "zz" } }, foreign],
  [
    "output for a stream that is not there",
    { name: "node", message: { type: "stdioPayload", stream: "stdin", chunks: [{ chunk: "x" }] } },
    foreign,
  ],
  [
    "output for __proto__",
    { name: "node", message: { type: "stdioPayload", stream: "__proto__", chunks: [{ chunk: "x" }] } },
    foreign,
  ],
  [
    "output in no encoding",
    { name: "node", message: { type: "stdioPayload", stream: "stdout", chunks: [{ chunk: "x", encoding: "zz" }] } },
    foreign,
  ],
  [
    "a wish for more input of a stream that takes none",
    { name: "node", message: { type: "stdioWantsMoreData", stream: "stdin" } },
    foreign,
  ],
  ["an error that does not deserialise", { name: "nodeFatal" }, foreign],
  ["output that is a number", { name: "stdio" }, foreign],
];

for (const [title, options, expected] of running) {
  test(title, async () => {
    shared ??= ownedHost();
    await attack(await shared, options, expected);
  });
}

test("the host closes, and nothing is left", async () => {
  const one = await shared;
  await one?.close();
  assert.is(one?.threads.live(), 0);
});

/** Before the session begins Piscina's port is open still. No plugin code runs then; the launcher withstands it all the same. */
for (const name of [
  "piscina-null",
  "piscina-undefined",
  "piscina-number",
  "piscina-object",
  "piscina-reply",
  "piscina-error",
  "hello",
  "started-twice",
]) {
  test(`before the session begins: ${name} ends the worker and nothing else`, async (t) => {
    const one = await ownedHost(plainDriver("mallory", `export const mark = "EARLY-${name}";`));
    t.cleanup(() => one.close());
    const { state, refusal } = malloryInfo(one.host);
    assert.is(state, "refused");
    assert.ok(
      refusal?.code === "ERR_PROTOCOL" ||
        refusal?.code === "ERR_PLUGIN_START" ||
        refusal?.code === "ERR_PLUGIN_CRASHED",
      `${refusal?.code}: ${refusal?.message}`,
    );
    await stillServes(one, 2);
  });
}

for (const name of ["parent-junk", "parent-ready"]) {
  test(`before the session begins: ${name} changes nothing`, async (t) => {
    const one = await ownedHost(plainDriver("mallory", `export const mark = "EARLY-${name}";`));
    t.cleanup(() => one.close());
    await one.mallory.createNetwork("n");
    assert.is(malloryInfo(one.host).state, "running");
    await stillServes(one, 3);
  });
}

/** The neighbour answers, and `threads` are alive: an ended worker's thread is gone, not waiting for the next plugin. */
async function stillServes(one: OwnedHost, threads: number): Promise<void> {
  const before = one.answered();
  await until(() => one.answered() > before + 1, "the neighbour's answers");
  await until(() => one.threads.live() === threads, `${threads} threads, there are ${one.threads.live()}`, 10_000);
  unharmed(one);
}

test.run();
