/** Class G on the ports that are not the link's: Piscina's, `parentPort`, and the one Node keeps for itself. */
import { assert, suite, until } from "../harness.js";
import { noBubblewrap } from "../isolation/walled.js";
import { plugin } from "../kit/plugins.js";
import { ahead } from "./ahead.js";
import type { Isolation, Outcome } from "./case.js";
import { outcomeSeen } from "./outcomes.js";
import { attack, type Expected, malloryInfo, type OwnedHost, ownedHost, unharmed } from "./owned-host.js";
import { lanesOf } from "./owned-hosts.js";
import { watchPlatform } from "./platform-watch.js";
import { chosenIsolations } from "./run-class.js";

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

/** Before the session begins Piscina's port is open still. No plugin code runs then; the launcher withstands it all the same. */
const early: readonly string[] = [
  "piscina-null",
  "piscina-undefined",
  "piscina-number",
  "piscina-object",
  "piscina-reply",
  "piscina-error",
  "hello",
  "started-twice",
];

/** Those that change nothing. */
const harmless: readonly string[] = ["parent-junk", "parent-ready"];

for (const isolation of chosenIsolations()) {
  const test = suite(`hostile: class G, the other ports (${isolation})`);
  const needs = isolation === "thread" ? undefined : noBubblewrap;
  let watch: ReturnType<typeof watchPlatform> | undefined;
  let shared: Promise<OwnedHost> | undefined;

  for (const [title, options, expected] of running) {
    test(
      title,
      async () => {
        if (isolation !== "thread") watch ??= watchPlatform();
        shared ??= ownedHost(isolation);
        outcomeSeen({ item: 50, title, isolation, outcome: await attack(await shared, options, expected) });
      },
      { needs },
    );
  }

  test(
    "the host closes, and nothing is left",
    async () => {
      const one = await shared;
      await one?.close();
      assert.is(one?.threads(), 0);
    },
    { needs },
  );

  const begun = [
    ...early.map((name) => ({
      name,
      ends: true,
      title: `before the session begins: ${name} ends the worker and nothing else`,
    })),
    ...harmless.map((name) => ({ name, ends: false, title: `before the session begins: ${name} changes nothing` })),
  ];
  const resultOf = ahead<Begun & { alone?: true }, Outcome>(begun, lanesOf(isolation), (one) =>
    atStart(isolation, one),
  );
  for (const one of begun) {
    const { title } = one;
    test(title, async () => outcomeSeen({ item: 50, title, isolation, outcome: await resultOf(one) }), { needs });
  }

  if (isolation !== "thread")
    test("the platform stayed what it was", async () => void (await watch?.done()), { needs });

  test.run();
}

interface Begun {
  readonly name: string;
  readonly title: string;
  /** It ends the worker. */
  readonly ends: boolean;
}

async function atStart(isolation: Isolation, { name, ends }: Begun): Promise<Outcome> {
  const one = await ownedHost(isolation, plugin("mallory", { top: `export const mark = "EARLY-${name}";` }));
  try {
    const { state, refusal } = malloryInfo(one.host);
    if (ends) {
      assert.is(state, "refused");
      assert.match(
        refusal?.code ?? "",
        /^ERR_(PROTOCOL|PLUGIN_START|PLUGIN_CRASHED)$/,
        `${refusal?.code}: ${refusal?.message}`,
      );
      await stillServes(one, 2);
      return "plugin ended";
    }
    await one.mallory.createNetwork("n");
    assert.is(malloryInfo(one.host).state, "running");
    await stillServes(one, 3);
    return "refused inside";
  } finally {
    await one.close();
  }
}

/** The neighbour answers, and `threads` are alive: an ended worker's thread is gone, not waiting for the next plugin. */
async function stillServes(one: OwnedHost, threads: number): Promise<void> {
  await one.pulse.answers(2);
  if (one.isolation === "thread")
    await until(() => one.threads() === threads, `${threads} threads, there are ${one.threads()}`, 10_000);
  unharmed(one);
}
