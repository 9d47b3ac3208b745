/** A host whose workers' realms belong to an attacker (fixtures/owned), and what must hold after each of the attacks. */
import "../kit/bundles.js";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { EndpointConfig } from "#dist/driverapi/endpoint-config.js";
import type { HostedDriver } from "#dist/driverapi/types.js";
import type { ViolationEvent } from "#dist/host/events.js";
import { type PluginHost, startHost } from "#dist/host/plugin-host.js";
import { permissionFlags } from "#dist/isolation/permission-flags.js";
import { ThreadLauncher } from "#dist/isolation/thread-launcher.js";
import { assert, until } from "../harness.js";
import { plugin } from "../kit/plugins.js";
import type { Isolation, Outcome } from "./case.js";
import { ownedWall } from "./owned-wall.js";
import { Pulse } from "./pulse.js";
import { NEIGHBOUR } from "./source.js";

const root = fileURLToPath(new URL("../../../", import.meta.url));
/** The attacker's bootstrap. */
export const OWNED: string = join(root, "test/fixtures/owned/owned.cjs");

export interface LogLine {
  readonly level: string;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly message: string;
}

export interface OwnedHost {
  readonly host: PluginHost;
  readonly isolation: Isolation;
  /** Threads of this process that hold its workers; 0 behind the wall. */
  threads(): number;
  readonly mallory: HostedDriver;
  readonly violations: ViolationEvent[];
  readonly lines: LogLine[];
  /** Names of the life events of mallory, in order. */
  readonly life: string[];
  /** The neighbour, called without pause until `close()`. */
  readonly pulse: Pulse;
  /** What the process' own listeners caught; must stay empty. */
  readonly uncaught: unknown[];
  /** Loads mallory again; `asNew`: with other code, whose record is clean. */
  reload(asNew: boolean): Promise<void>;
  close(): Promise<void>;
}

/** Plugins "mallory" (`code`) and "neighbour". Behind the wall the attacker's bootstrap stands in the place of the runtime's. */
export async function ownedHost(
  isolation: Isolation,
  code: string = plugin("mallory"),
  policy: Readonly<Record<string, unknown>> = {},
): Promise<OwnedHost> {
  const folder = await mkdtemp(join(tmpdir(), "bulkhead-owned-"));
  const versions = ["one", "other"].map((name) => `${code}\n// The ${name} of two versions.\n`);
  let version = 0;
  const write = (): Promise<void> => writeFile(join(folder, "mallory.js"), versions[version++ % 2] ?? "");
  await write();
  await writeFile(join(folder, "neighbour.js"), NEIGHBOUR);
  const uncaught: unknown[] = [];
  const caught = (error: unknown): unknown => uncaught.push(error);
  process.on("uncaughtException", caught);
  process.on("unhandledRejection", caught);
  const threads =
    isolation === "thread"
      ? new ThreadLauncher({
          bootstrap: OWNED,
          execArgv: [...permissionFlags(OWNED), `--allow-fs-read=${join(root, "dist/worker")}/*`],
        })
      : undefined;
  const lines: LogLine[] = [];
  const line =
    (level: string) =>
    (fields: object, message: string): void => {
      lines.push({ level, fields: fields as Record<string, unknown>, message });
    };
  const logger = { debug: line("debug"), info: line("info"), warn: line("warn"), error: line("error") };
  const host = await startHost(
    { plugins: folder, policy: { plugins: { mallory: policy } }, isolation, logger },
    threads ? { threads } : { wall: ownedWall },
  );
  const violations: ViolationEvent[] = [];
  const life: string[] = [];
  host.on("violation", (event) => violations.push(event));
  for (const name of ["plugin:restarting", "plugin:restarted", "plugin:unavailable", "plugin:refused"] as const) {
    host.on(name, ({ plugin }) => {
      if (plugin === "mallory") life.push(name);
    });
  }
  const neighbour = host.driver("neighbour");
  await neighbour.createNetwork("net");
  await neighbour.createEndpoint("net", "end", new EndpointConfig());
  const pulse = new Pulse(neighbour, isolation === "process");
  const mallory = mustFind(host, "mallory");
  return {
    host,
    isolation,
    threads: () => threads?.live() ?? 0,
    mallory,
    violations,
    lines,
    life,
    pulse,
    uncaught,
    async reload(asNew) {
      if (asNew) await write();
      await host.reload("mallory");
    },
    async close() {
      // A wrong or a late answer throws here, once everything is closed.
      const served = pulse.stop().then(
        () => undefined,
        (error: unknown) => error,
      );
      const wrong = await served;
      await host.close();
      process.off("uncaughtException", caught);
      process.off("unhandledRejection", caught);
      await rm(folder, { recursive: true, force: true });
      if (wrong !== undefined) throw wrong;
    },
  };
}

/** Also where the type is not registered: the tests of a refused start look at the host alone. */
function mustFind(host: PluginHost, type: string): HostedDriver {
  try {
    return host.driver(type);
  } catch {
    return {} as HostedDriver;
  }
}

/**
 * What one attack must lead to: a violation of this code and detail, or nothing at all. `heavy`: the attack itself takes so long
 * that its worker may be ended as blocked first, or behind the wall its host process, whose main thread passes it on.
 */
export type Expected = { readonly code: string; readonly detail: RegExp; readonly heavy?: true } | "nothing";

let attacks = 0;

/** A detail that a host process has looked at, and told of no more than that it is not a frame of the worker's own. */
const FOREIGN = /not text/;

/** Runs one attack and checks all that must hold after it; resolves with what it came to. */
export async function attack(
  one: OwnedHost,
  options: Readonly<Record<string, unknown>>,
  expected: Expected,
): Promise<Outcome> {
  const { host, mallory, violations, lines, life, pulse } = one;
  violations.length = 0;
  lines.length = 0;
  life.length = 0;
  const counters = malloryInfo(host).counters;
  const nid = `attack-${++attacks}`;
  const call = mallory.createNetwork(nid, options as never).then(
    () => undefined,
    (error: Error & { code?: string }) => error,
  );
  let outcome: Outcome = expected === "nothing" ? "refused inside" : "plugin ended";
  if (expected === "nothing") {
    assert.is(await call, undefined);
    await mallory.deleteNetwork(nid);
    assert.equal(violations, []);
    assert.equal(life, []);
  } else {
    await until(
      () => life.includes("plugin:restarted"),
      `mallory's restart, ended for ${String(expected.detail)}`,
      15_000,
    );
    const blocked = expected.heavy === true && violations.length === 0;
    if (blocked && lines.some(({ fields }) => fields.code === "ERR_HOST_PROCESS")) outcome = "host ended and recovered";
    const codes = blocked ? ["ERR_PLUGIN_BLOCKED", "ERR_HOST_PROCESS"] : [expected.code];
    if (!blocked) judgeViolation(one, expected);
    assert.equal(life, ["plugin:restarting", "plugin:restarted"]);
    const after = malloryInfo(host).counters;
    assert.is(after.violations, counters.violations + (blocked ? 0 : 1));
    assert.is(after.restarts, counters.restarts + 1);
    const line = lines.find(({ fields }) => codes.includes(String(fields.code)) && fields.plugin === "mallory");
    assert.ok(line, "its end is logged with plugin and code");
    for (const { message } of lines) assert.not.match(message, /\p{Cc}/u);
    await call;
  }
  assert.is(malloryInfo(host).state, "running");
  await mallory.createNetwork("honest");
  await mallory.deleteNetwork("honest");
  await pulse.answers(2);
  // mallory, neighbour, a spare: those that were ended have ended.
  if (one.isolation === "thread") await until(() => one.threads() === 3, "the ended thread's end", 10_000);
  unharmed(one);
  if (expected !== "nothing") await forgive(one);
  return outcome;
}

/** Ends of mallory since its last reload: the breaker opens at the fifth, and the pause before a restart doubles. */
const ends = new WeakMap<OwnedHost, number>();
const ENDS_BEFORE_RELOAD = 3;

/**
 * Counts an end of mallory's worker, and reloads it in time, so that the next attack begins a new count. Behind the wall that is each
 * time, with other code: after two ends of the same, each start takes a process of its own, at a tenth of the others' priority.
 */
export async function forgive(one: OwnedHost): Promise<void> {
  if (one.isolation !== "thread") return one.reload(true);
  const count = (ends.get(one) ?? 0) + 1;
  ends.set(one, count % ENDS_BEFORE_RELOAD);
  if (count === ENDS_BEFORE_RELOAD) await one.reload(false);
}

/** Exactly one, of mallory's, and the expected one. */
function judgeViolation({ violations, lines, isolation }: OwnedHost, expected: Exclude<Expected, "nothing">): void {
  const told = lines.map(({ fields, message }) => `${fields.code} ${message}`).join("; ");
  assert.is(violations.length, 1, `one violation: ${JSON.stringify(violations)}; told: ${told}`);
  const [violation] = violations;
  assert.is(violation?.plugin, "mallory");
  assert.is(violation?.code, expected.code);
  if (isolation === "thread" || !FOREIGN.test(violation?.detail ?? ""))
    assert.match(violation?.detail ?? "", expected.detail);
}

/** Nothing thrown, nothing changed in this process. */
export function unharmed(one: OwnedHost): void {
  assert.equal(one.uncaught, []);
  assert.is((Object.prototype as Record<string, unknown>).polluted, undefined);
  assert.equal(Object.keys(Object.prototype), []);
  assert.equal(Object.keys(Array.prototype), []);
}

export function malloryInfo(host: PluginHost): ReturnType<PluginHost["plugins"]>[number] {
  const found = host.plugins().find(({ name }) => name === "mallory");
  if (!found) throw new Error("no mallory");
  return found;
}
