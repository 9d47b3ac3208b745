/** A host with a hostile plugin and a good neighbour, watched from the moment it starts until nothing of it is left. */
import "../kit/bundles.js";
import { strict as assert } from "node:assert";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { EndpointConfig } from "#dist/driverapi/endpoint-config.js";
import type { JsonObject } from "#dist/driverapi/json.js";
import type { HostedDriver } from "#dist/driverapi/types.js";
import type { HostEventName } from "#dist/host/events.js";
import { type PluginHost, startHost } from "#dist/host/plugin-host.js";
import { ThreadLauncher } from "#dist/isolation/thread-launcher.js";
import { until } from "../harness.js";
import { NO_SPARES } from "../kit/host.js";
import type { CaseResult, HostileCase, Isolation, Outcome } from "./case.js";
import { changes, fingerprint } from "./fingerprint.js";
import { Pulse } from "./pulse.js";
import { NEIGHBOUR } from "./source.js";

export interface LogLine {
  readonly level: string;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly message: string;
}

export interface HostEvent {
  readonly name: HostEventName;
  readonly plugin?: string;
  readonly code?: string;
  readonly [key: string]: unknown;
}

/** What a case works with. */
export interface Arena {
  readonly isolation: Isolation;
  readonly host: PluginHost;
  readonly log: readonly LogLine[];
  readonly events: readonly HostEvent[];
  readonly pulse: Pulse;
  /** The hostile plugin's row of `host.plugins()`. */
  info(): ReturnType<PluginHost["plugins"]>[number];
  driver(): HostedDriver;
  /** Makes network "n" and endpoint "e" of the hostile driver, where there are none. */
  endpoint(): Promise<void>;
  /** What the plugin saw: the answer of its `endpointOperInfo`. Nothing in it may speak of the host. */
  report(): Promise<JsonObject>;
  /** Resolves when such an event of the hostile plugin has come, now or before. */
  event(name: HostEventName, code?: string): Promise<HostEvent>;
  /** Asserts that the operator was told: a line of the log with the plugin and the code, at warn or error. */
  told(code: string): void;
}

const EVENTS: readonly HostEventName[] = [
  "plugin:loaded",
  "plugin:awaiting-grant",
  "plugin:refused",
  "plugin:restarting",
  "plugin:restarted",
  "plugin:unavailable",
  "plugin:stopped",
  "driver:registered",
  "driver:unregistered",
  "driver:refused",
  "call:timeout",
  "violation",
];

/** Short, so that what hangs is over soon; the neighbour keeps the defaults. */
export const TIMEOUTS = { default: 1000, init: 3000 };

/** What no plugin may read of its host anywhere. */
const SECRETS = [process.cwd(), "bootstrap.cjs", "node:internal", "node_modules", process.execPath, tmpdir()];

/**
 * From this item on an attack can take its process along, and the neighbour is to be served again as soon as the runtime's spares allow.
 * The items before it, on escapes, leaks, tampering and blocked workers, need no spare.
 */
const FIRST_OF_MEMORY = 34;

/** A case that waits in vain ends before its test's deadline, so that its host is closed. */
const CASE_MS = 20_000;
const ROOM_MS = 10_000;

async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`the case waited ${ms} ms in vain`)), ms);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

/** Runs one case from start to end, with everything that must hold whatever it does. */
export async function runCase(hostileCase: HostileCase, isolation: Isolation): Promise<CaseResult> {
  // Behind the wall several cases run at once: there, platform-watch.ts looks at what belongs to the process.
  const before = isolation === "thread" ? fingerprint() : undefined;
  const folder = await mkdtemp(join(tmpdir(), "bulkhead-hostile-"));
  const threads = isolation === "thread" ? new ThreadLauncher({ spares: 0 }) : undefined;
  const started = performance.now();
  try {
    await writePlugins(folder, hostileCase);
    await hostileCase.prepare?.(folder);
    const { arena, close } = await open(folder, hostileCase, isolation, threads);
    let outcome: Outcome;
    try {
      const said = await within(
        hostileCase.ms === undefined ? CASE_MS : hostileCase.ms - ROOM_MS,
        hostileCase.run(arena),
      );
      await within(ROOM_MS, arena.pulse.answers(3));
      outcome = seen(arena, said);
    } finally {
      await close();
    }
    // A native call ends when it ends; `close()` has waited five seconds for its thread.
    if (threads) await until(() => threads.live() === 0, "the last threads to end", ROOM_MS);
    if (before) assert.deepEqual(changes(before, fingerprint()), [], "something global has changed");
    const ms = Math.round(performance.now() - started);
    return {
      item: hostileCase.item,
      title: hostileCase.title,
      isolation,
      outcome,
      ms,
      neighbourMs: Math.round(arena.pulse.longestMs),
    };
  } finally {
    await threads?.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** What has truly come of it: a host process that went without the host's wish is seen in the operator's log, whatever a case says. */
function seen({ isolation, log }: Arena, said: Outcome): Outcome {
  const gone = log.some(
    ({ fields }) =>
      fields.code === "ERR_HOST_PROCESS" && Array.isArray(fields.plugins) && fields.plugins.includes("hostile"),
  );
  if (isolation === "thread") return said;
  assert.notEqual(said, "not stopped (named)", "behind the wall everything is stopped");
  if (said === "host ended and recovered") assert.ok(gone, "no host process has ended");
  return gone ? "host ended and recovered" : said;
}

async function writePlugins(folder: string, { source }: HostileCase): Promise<void> {
  await writeFile(join(folder, "neighbour.js"), NEIGHBOUR);
  if (typeof source === "string") {
    await writeFile(join(folder, "hostile.js"), source);
    return;
  }
  for (const [name, text] of Object.entries({ "plugin.json": "{}", ...source })) {
    const path = join(folder, "hostile", name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
  }
}

async function open(
  folder: string,
  hostileCase: HostileCase,
  isolation: Isolation,
  threads: ThreadLauncher | undefined,
): Promise<{ readonly arena: Arena; close(): Promise<void> }> {
  const log: LogLine[] = [];
  const events: HostEvent[] = [];
  const waiting = new Set<() => void>();
  const line = (level: string) => (fields: object, message: string) => {
    log.push({ level, fields: { ...fields }, message });
  };
  const host = await startHost(
    {
      plugins: folder,
      isolation,
      policy: { plugins: { hostile: { timeouts: TIMEOUTS, ...hostileCase.policy } } },
      logger: { debug: line("debug"), info: line("info"), warn: line("warn"), error: line("error") },
    },
    threads ? { threads } : hostileCase.item < FIRST_OF_MEMORY ? NO_SPARES : {},
  );
  for (const name of EVENTS) {
    host.on(name, (event) => {
      events.push({ ...event, name });
      for (const look of waiting) look();
    });
  }
  const neighbour = host.driver("neighbour");
  await neighbour.createNetwork("net");
  await neighbour.createEndpoint("net", "end", new EndpointConfig());
  // Who shares a host process can be disturbed, and must be served again; everybody else must not notice.
  const pulse = new Pulse(neighbour, isolation === "process");
  let made = false;
  const row = (name: string): ReturnType<Arena["info"]> => {
    const found = host.plugins().find((one) => one.name === name);
    assert.ok(found, `no plugin "${name}"`);
    return found;
  };
  const arena: Arena = {
    isolation,
    host,
    log,
    events,
    pulse,
    info: () => row("hostile"),
    driver() {
      const { refusal } = row("hostile");
      assert.equal(refusal?.message, undefined, "the plugin did not load");
      return host.driver("hostile");
    },
    async endpoint() {
      if (made) return;
      await arena.driver().createNetwork("n");
      await arena.driver().createEndpoint("n", "e", new EndpointConfig());
      made = true;
    },
    async report() {
      await arena.endpoint();
      const saw = await arena.driver().endpointOperInfo("n", "e");
      const text = JSON.stringify(saw);
      for (const secret of SECRETS) assert.ok(!text.includes(secret), `the plugin saw ${secret}: ${text}`);
      assert.ok(!text.includes("LOOT"), text);
      return saw;
    },
    event(name, code) {
      return new Promise((resolve) => {
        const look = (): void => {
          const found = events.find(
            (one) => one.name === name && one.plugin === "hostile" && (code === undefined || one.code === code),
          );
          if (!found) return;
          waiting.delete(look);
          resolve(found);
        };
        waiting.add(look);
        look();
      });
    },
    told(code) {
      const found = log.some(
        ({ level, fields }) =>
          fields.plugin === "hostile" && fields.code === code && (level === "warn" || level === "error"),
      );
      assert.ok(found, `no line tells of ${code}: ${JSON.stringify(log.slice(-20))}`);
    },
  };
  const close = async (): Promise<void> => {
    try {
      await pulse.stop();
      const { restarts } = row("neighbour").counters;
      // Who shares a host process with it can be; then its reads are asked again, and the pulse saw no wrong answer.
      if (isolation !== "process") assert.equal(restarts, 0, "the neighbour was restarted");
    } finally {
      await host.close();
    }
  };
  return { arena, close };
}
