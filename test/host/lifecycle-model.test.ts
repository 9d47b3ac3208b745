/**
 * Lifecycle sequences, with crashes and timeouts among them, against the reference model: each call's result or error code,
 * what becomes of undone creates and repeated deletes, what a restarted or reloaded driver still knows.
 * One host; sequences run in lanes, a plugin each, so that a crash costs only its own lane.
 */

import fc from "fast-check";
import type { HostedDriver } from "#dist/driverapi/types.js";
import { EndpointConfig, JoinConfig } from "#dist/index.js";
import { SEQUENCES } from "../amounts.js";
import { assert, suite } from "../harness.js";
import { type Behaviour, event, type Scripted, scripted } from "../kit/scripted.js";
import {
  type Call,
  cuesOf,
  type Expected,
  endsWorker,
  GIVEN,
  independent,
  Model,
  sensible,
} from "./lifecycle-model.js";

const test = suite("host/lifecycle-model");

const LANES = 8;
const MOST_CALLS = 50;
/** Every call's deadline: far above what a call takes, since a slow machine must not look like a slow driver. */
const DEADLINE = 600;
/** Ends of one worker after which the breaker is not far: the plugin is reloaded before the next sequence. */
const ENDS_BEFORE_RELOAD = 2;
const ENDS_PER_SEQUENCE = 2;

const EIDS = ["x", "y", "z"] as const;

type Step =
  /** Alone. */
  | { readonly how: "one"; readonly calls: readonly Call[] }
  /** Issued together, whatever their ids: as if one after the other. */
  | { readonly how: "burst"; readonly calls: readonly Call[] }
  /** Issued together on ids of their own, each slow in its own way. */
  | { readonly how: "slow"; readonly calls: readonly Call[] }
  /** Issued together on ids of their own; the driver ends while all of them are in flight. */
  | { readonly how: "crash"; readonly calls: readonly Call[] }
  | { readonly how: "reload"; readonly calls: readonly Call[] };

const weighted = <T>(...rows: readonly (readonly [number, T])[]): fc.Arbitrary<T> =>
  fc.oneof(...rows.map(([weight, value]) => ({ weight, arbitrary: fc.constant(value) })));

function callOf(what: fc.Arbitrary<Behaviour>): fc.Arbitrary<Call> {
  return fc.record({
    method: weighted(
      [3, "createNetwork"],
      [6, "createEndpoint"],
      [5, "join"],
      [4, "endpointOperInfo"],
      [3, "leave"],
      [3, "programExternalConnectivity"],
      [2, "revokeExternalConnectivity"],
      [3, "deleteEndpoint"],
      [2, "deleteNetwork"],
    ) as fc.Arbitrary<Call["method"]>,
    nid: weighted([75, "a"], [24, "b"], [1, ""]),
    eid: weighted([50, EIDS[0]], [30, EIDS[1]], [19, EIDS[2]], [1, ""]),
    what,
    given: weighted([3, false], [1, true]),
    abort: weighted([90, "no"], [1, "before"], [30, "during"]) as fc.Arbitrary<Call["abort"]>,
    undo: weighted([2, "ok"], [1, "doneThrow"]) as fc.Arbitrary<Call["undo"]>,
  });
}

const QUICK = weighted<Behaviour>(
  [900, "ok"],
  [30, "throw"],
  [20, "notFound"],
  [10, "ownCode"],
  [10, "forge"],
  [10, "text"],
  [40, "badReply"],
);
const SLOW = weighted<Behaviour>([3, "late"], [2, "lateThrow"], [2, "lateNotFound"], [3, "ok"]);
const ANY = fc.oneof(
  { weight: 955, arbitrary: QUICK },
  { weight: 19, arbitrary: SLOW },
  {
    weight: 26,
    arbitrary: weighted<Behaviour>([4, "never"], [3, "spin"], [5, "crash"], [4, "reject"], [5, "doneCrash"]),
  },
);

const several = (what: fc.Arbitrary<Behaviour>): fc.Arbitrary<Call[]> =>
  fc.array(callOf(what), { minLength: 2, maxLength: 6 });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 900, arbitrary: callOf(ANY).map((call): Step => ({ how: "one", calls: [call] })) },
  { weight: 80, arbitrary: several(QUICK).map((calls): Step => ({ how: "burst", calls })) },
  { weight: 10, arbitrary: several(SLOW).map((calls): Step => ({ how: "slow", calls })) },
  { weight: 12, arbitrary: several(fc.constant<Behaviour>("never")).map((calls): Step => ({ how: "crash", calls })) },
  { weight: 3, arbitrary: fc.constant<Step>({ how: "reload", calls: [] }) },
);
/** Most begin with networks, so that what follows finds something. */
const opening = (["a", "b"] as const).map((nid): Step => {
  const call: Call = { method: "createNetwork", nid, eid: "-", what: "ok", given: false, abort: "no", undo: "ok" };
  return { how: "one", calls: [call] };
});
const sequence = fc
  .tuple(
    weighted<readonly Step[]>([1, []], [2, opening.slice(0, 1)], [4, opening]),
    fc.array(step, { minLength: 1, maxLength: MOST_CALLS, size: "max" }),
  )
  .map(([first, rest]) => [...first, ...rest]);

/** Answers that a machine without a free processor can give in place of the driver's. */
const TIMELY = /ERR_DRIVER_(BUSY|TIMEOUT)/;
/** Sequences of which another try is allowed, since of so many on a busy machine one will meet it. */
const SECOND_TRIES = Math.ceil(SEQUENCES / 200);

/** A plugin that runs one sequence after the other. */
class Lane {
  readonly #host: Scripted;
  readonly #id: string;
  /** What was called and answered in this sequence. */
  trail: string[] = [];
  #model = new Model();
  /** Unique ids for each sequence. */
  #prefix = "";
  #sequences = 0;
  /** Ends of the worker since the plugin was last loaded. */
  #ends = 0;
  #endsLeft = 0;
  /** Calls that their driver may still be at: whether its end cuts them off depends on when it comes. */
  #late: Call[] = [];

  constructor(host: Scripted, id: string) {
    this.#host = host;
    this.#id = id;
  }

  async run(steps: readonly Step[]): Promise<void> {
    if (this.#ends >= ENDS_BEFORE_RELOAD) await this.#reload();
    this.#model = new Model();
    this.trail = [];
    this.#prefix = `${this.#id}${this.#sequences++}`;
    this.#endsLeft = ENDS_PER_SEQUENCE;
    let calls = 0;
    for (const { how, calls: wanted } of steps) {
      calls += wanted.length;
      if (calls > MOST_CALLS) break;
      tally.calls += wanted.length;
      const sane = wanted.map((call) => this.#own(sensible(call, how === "one" ? this.#endsLeft : 0)));
      if (how === "reload") await this.#reload();
      else if (how === "crash") await this.#crash(independent(sane));
      else if (how === "slow") await this.#together(independent(sane));
      else await this.#together(sane.map((call) => (how === "burst" ? { ...call, abort: "no" } : call)));
    }
    for (const call of this.#model.teardown()) await this.#together([call]);
  }

  #own(call: Call): Call {
    return call.nid === "" ? call : { ...call, nid: `${this.#prefix}-${call.nid}` };
  }

  async #reload(): Promise<void> {
    await this.#host.host.reload(this.#id);
    this.#ends = 0;
    this.trail.push("  (reloaded)");
    tally.reloads++;
  }

  /** Issues the calls in one turn and compares each with the model. */
  async #together(calls: readonly Call[]): Promise<void> {
    // A script is for ids: among calls on the same ones it could be another call that meets it.
    const alone = (call: Call): boolean => calls.every((one) => one === call || independent([one, call]).length === 2);
    const cued = calls.map((call): Call => (alone(call) ? call : { ...call, what: "ok" }));
    const expected = cued.map((call) => this.#model.predict(call));
    const cues = cued.flatMap((call, i) => (expected[i]?.reached && call.what !== "ok" ? cuesOf(call, DEADLINE) : []));
    // A caller that leaves must leave while its own call runs, not while it waits for what came before; and the undo of what
    // came before must not meet the script of a rollback.
    for (const call of cued) if (call.abort === "during" || call.what === "badReply") await this.#rest(call);
    const ends = cued.some((call, i) => expected[i]?.reached && endsWorker(call.what));
    if (ends) await this.#restAll();
    if (cues.length > 0) await this.#host.cue(cues, this.#id);
    this.#late.push(...cued.filter(({ what }) => what.startsWith("late")));
    const restarted = ends ? event(this.#host.host, "plugin:restarted", this.#id) : undefined;
    const answers = await Promise.all(cued.map((call) => this.#issue(call)));
    for (const [i, call] of cued.entries()) this.#compare(call, expected[i] as Expected, answers[i] as Answer);
    if (restarted) await this.#ended(restarted);
  }

  async #crash(calls: readonly Call[]): Promise<void> {
    if (this.#endsLeft <= 0) return;
    const plain = calls.map((call): Call => ({ ...call, abort: call.abort === "before" ? "before" : "no" }));
    const victim = plain.findIndex((call) => this.#model.reaches(call));
    const set = plain.map((call, i): Call => ({ ...call, what: i === victim ? "crash" : "never" }));
    if (victim < 0) {
      await this.#together(set);
      return;
    }
    const cues = set
      .flatMap((call) => cuesOf(call, DEADLINE))
      .map((cue) => (cue.what === "crash" ? { ...cue, ms: 10 } : cue));
    await this.#restAll();
    // A call that waits for its ids is not in flight yet, and would have to wait out the restart as well.
    await Promise.all(set.map((call) => this.#rest(call)));
    // All that are in flight when the worker ends are of unknown outcome.
    const expected = set.map((call) => this.#model.predict({ ...call, what: "crash" }));
    await this.#host.cue(
      cues.filter((cue) => set.some((call, i) => expected[i]?.reached && call.method === cue.method)),
      this.#id,
    );
    const restarted = event(this.#host.host, "plugin:restarted", this.#id);
    const answers = await Promise.all(set.map((call) => this.#issue(call)));
    for (const [i, call] of set.entries()) this.#compare(call, expected[i] as Expected, answers[i] as Answer);
    await this.#ended(restarted);
  }

  async #ended(restarted: Promise<unknown>): Promise<void> {
    await restarted;
    this.trail.push("  (restarted)");
    this.#ends++;
    this.#endsLeft--;
    tally.ends++;
  }

  async #restAll(): Promise<void> {
    await Promise.all(this.#late.map((call) => this.#rest(call)));
    this.#late = [];
  }

  /** Resolves when nothing holds the call's ids any more. */
  async #rest({ method, nid, eid }: Call): Promise<void> {
    const driver = this.#host.driver(this.#id);
    const held = method.endsWith("Network") ? EIDS : [eid];
    await Promise.allSettled(held.map((one) => driver.endpointOperInfo(nid, one)));
  }

  #compare(call: Call, expected: Expected, answer: Answer): void {
    const { method, nid, eid, what, given, abort, undo } = call;
    const extras = [what, given && "given", abort !== "no" && `abort ${abort}`, undo !== "ok" && `undo ${undo}`].filter(
      Boolean,
    );
    this.trail.push(`${method}(${nid}, ${eid}) [${extras.join(", ")}] → ${answer.error?.code ?? "ok"}`);
    compare(call, expected, answer);
  }

  async #issue({ method, nid, eid, given, abort }: Call): Promise<Answer> {
    const driver: HostedDriver = this.#host.driver(this.#id);
    const stop = new AbortController();
    const call = { signal: stop.signal };
    if (abort === "before") stop.abort();
    if (abort === "during") setTimeout(() => stop.abort(), 30);
    const epInfo = new EndpointConfig(given ? [GIVEN] : []);
    const jinfo = new JoinConfig();
    try {
      if (method === "createNetwork") await driver.createNetwork(nid, { seed: nid }, call);
      else if (method === "deleteNetwork") await driver.deleteNetwork(nid, call);
      else if (method === "createEndpoint") await driver.createEndpoint(nid, eid, epInfo, {}, call);
      else if (method === "deleteEndpoint") await driver.deleteEndpoint(nid, eid, call);
      else if (method === "join") await driver.join(nid, eid, `sandbox-${eid}`, jinfo, {}, call);
      else if (method === "leave") await driver.leave(nid, eid, call);
      else if (method === "programExternalConnectivity")
        await driver.programExternalConnectivity(nid, eid, { port: 80 }, call);
      else if (method === "revokeExternalConnectivity") await driver.revokeExternalConnectivity(nid, eid, call);
      else return { info: await driver.endpointOperInfo(nid, eid, call), epInfo, jinfo };
      return { epInfo, jinfo };
    } catch (error) {
      return { error: error as Answer["error"], epInfo, jinfo };
    }
  }
}

interface Answer {
  readonly error?: { readonly code: string; readonly kind: string; readonly message: string } | undefined;
  readonly info?: Record<string, unknown>;
  readonly epInfo: EndpointConfig;
  readonly jinfo: JoinConfig;
}

const tally = { calls: 0, ends: 0, reloads: 0, secondTries: [] as string[], codes: new Map<string, number>() };

function compare(call: Call, expected: Expected, { error, info, epInfo, jinfo }: Answer): void {
  const about = `${JSON.stringify(call)}: expected ${JSON.stringify(expected)}, got ${error ? `${error.code} ${error.kind} ${error.message}` : "success"}`;
  tally.codes.set(error?.code ?? "ok", (tally.codes.get(error?.code ?? "ok") ?? 0) + 1);
  assert.is(error?.code, expected.code, about);
  if (expected.code !== undefined) {
    assert.is(error?.kind, expected.kind, about);
    if (expected.ends !== undefined) assert.ok(error?.message.endsWith(expected.ends), about);
    if (call.method === "createEndpoint")
      assert.is(epInfo.toJSON().length, call.given ? 1 : 0, `written to by a call that failed: ${about}`);
    assert.is(jinfo.gateway(), "", `written to by a call that failed: ${about}`);
    return;
  }
  if (call.method === "createEndpoint") assert.is(epInfo.toJSON()[0]?.id, call.given ? GIVEN.id : 0, about);
  if (call.method === "join") assert.is(jinfo.gateway(), "10.77.0.1", about);
  if (call.method === "endpointOperInfo") {
    const { given, joined, programmed } = expected.value as Record<"given" | "joined" | "programmed", boolean>;
    assert.is(info?.joined, joined, about);
    assert.is(info?.programmed !== undefined, programmed, about);
    assert.is(info?.address === GIVEN.ipv4, given, about);
  }
}

test(
  `${SEQUENCES} sequences of up to ${MOST_CALLS} calls answer as the model says`,
  async (t) => {
    const ids = Array.from({ length: LANES }, (_, i) => `lane${i}`);
    const host = await scripted(t, { ids, timeouts: { default: DEADLINE } });
    const started = performance.now();
    const seed = Number(process.env.BULKHEAD_SEED ?? Math.floor(Math.random() * 2 ** 30));
    await Promise.all(
      ids.map(async (id, i) => {
        const lane = new Lane(host, id);
        const property = fc.asyncProperty(sequence, async (steps) => {
          try {
            await lane.run(steps);
          } catch (error) {
            if (!TIMELY.test(String(error)) || tally.secondTries.push(`${String(error).slice(0, 400)}`) > SECOND_TRIES)
              throw error;
            await host.host.reload(id);
            await lane.run(steps);
          }
        });
        // No shrinking: a lane that has failed is out of step with its model.
        const numRuns = Math.ceil(SEQUENCES / LANES);
        const {
          failed,
          errorInstance,
          numRuns: run,
        } = await fc.check(property, { numRuns, seed: seed + i, endOnFailure: true });
        if (!failed) return;
        const why = errorInstance instanceof Error ? errorInstance.message : String(errorInstance);
        throw new Error(
          `BULKHEAD_SEED=${seed}: ${id}, sequence ${run}: ${why}\nThe calls before it:\n${lane.trail.slice(-16).join("\n")}`,
        );
      }),
    );
    const codes = [...tally.codes].sort((a, b) => b[1] - a[1]).map(([code, count]) => `${code} ${count}`);
    console.log(
      `NOTE ${SEQUENCES} sequences, ${tally.calls} calls, ${tally.ends} workers ended, ${tally.reloads} reloads, ${tally.secondTries.length} second tries, ${Math.round((performance.now() - started) / 1000)} s: ${codes.join(", ")}`,
    );
    for (const why of tally.secondTries) console.log(`NOTE second try after: ${why}`);
    for (const code of [
      "ERR_DRIVER_TIMEOUT",
      "ERR_OUTCOME_UNKNOWN",
      "ERR_DRIVER_REPLY",
      "ERR_CALL_ABORTED",
      "ERR_DRIVER_FAILED",
      "ERR_NETWORK_IN_USE",
    ]) {
      assert.ok((tally.codes.get(code) ?? 0) > 0, `no sequence met ${code}`);
    }
    assert.is(
      host.host.plugins().reduce((sum, one) => sum + one.counters.violations, 0),
      0,
    );
  },
  { ms: 10 * 60_000 },
);

test.run();
