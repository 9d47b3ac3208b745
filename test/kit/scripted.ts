/**
 * A driver that does what a test tells it to, call by call, and a host that runs it. The plugin registers two types: its
 * own, and `ID-control`, whose `config()` takes the script; so the script travels beside the calls it is about, and is
 * forgotten with the worker. The driver keeps its own books and objects to whatever does not fit them: a call for
 * something it was never given, a second create. What a host forgets to restore or to undo shows as an error.
 */
import "./bundles.js";
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { DriverMethod, HostedDriver, OptionalDriverMethod } from "#dist/driverapi/types.js";
import type { HostParts } from "#dist/host/host-parts.js";
import { type PluginHost, startHost } from "#dist/host/plugin-host.js";
import type { TestContext } from "../harness.js";
import { NO_SPARES, REPO } from "./host.js";

/**
 * What one call of the driver does instead of answering properly. `ms` where there is one: how long.
 * A create or join whose options have `onReplay` does that when it is replayed.
 *
 * | word | does |
 * | --- | --- |
 * | `ok` | its work |
 * | `throw`, `notFound`, `ownCode`, `forge`, `text` | throws an Error, one of kind NotFound, one with a code a driver may give, one with a code it may not, a string |
 * | `badReply` | its work, and records what the host must refuse |
 * | `doneThrow` | its work, then throws |
 * | `late`, `lateThrow`, `lateNotFound` | after `ms`: its work; an Error; its work and an error of kind NotFound |
 * | `never` | never settles |
 * | `obey` | waits for its signal, then throws its reason |
 * | `crash`, `reject`, `doneCrash` | a stray throw or rejection after `ms` while it never settles; after its work |
 * | `spin` | blocks for `ms`, then its work |
 * | `chatter` | the same, logging all the while |
 * | `microtasks`, `continuation`, `finally`, `onCancel` | blocks in a chain of microtasks, after an await, in a finally, in its abort listener |
 */
export type Behaviour =
  | "ok"
  | "throw"
  | "notFound"
  | "ownCode"
  | "forge"
  | "text"
  | "badReply"
  | "doneThrow"
  | "late"
  | "lateThrow"
  | "lateNotFound"
  | "never"
  | "obey"
  | "crash"
  | "reject"
  | "doneCrash"
  | "spin"
  | "chatter"
  | "microtasks"
  | "continuation"
  | "finally"
  | "onCancel";

/** What the next call of `method` on these ids does. */
export interface Cue {
  readonly method: DriverMethod | OptionalDriverMethod;
  readonly nid: string;
  readonly eid?: string;
  readonly what: Behaviour;
  readonly ms?: number;
  /** How often; default 1. */
  readonly times?: number;
}

/** One thing the driver was asked, as it noted it. */
export interface Noted {
  readonly method: string;
  readonly nid?: string;
  readonly eid?: string;
  readonly replay?: boolean;
  readonly options?: Record<string, unknown>;
  /** Interfaces it was given. */
  readonly given?: readonly unknown[];
  /** "abort": its signal fired; "end": its method is done. */
  readonly event?: "abort" | "end";
  /** Counts workers: each has a random name. */
  readonly worker: number;
}

/** The plugin: `test/fixtures/scripted.js`. */
const SCRIPTED = readFileSync(join(REPO, "test/fixtures/scripted.js"), "utf8");

/** The plugin's code. `id`: its plugin id and network type. */
function scriptedPlugin(id: string): string {
  return SCRIPTED.replace('const ID = "scripted";', `const ID = ${JSON.stringify(id)};`);
}

/** A host over scripted plugins, and the hands to steer them. */
export interface Scripted {
  readonly host: PluginHost;
  readonly dir: string;
  /** All the drivers noted, in the order it reached the host; only with `notes`. */
  readonly notes: Noted[];
  driver(id?: string): HostedDriver;
  /** Resolves when the driver has its script. */
  cue(cues: readonly Cue[], id?: string): Promise<void>;
  /** Makes the plugin do something in a timer, after this call. */
  timer(what: "spin" | "chatter" | "crash", ms?: number, id?: string): Promise<void>;
}

export interface ScriptedOptions {
  readonly ids?: readonly string[];
  readonly timeouts?: Readonly<Record<string, number>>;
  readonly manifest?: object;
  readonly options?: object;
  /** The drivers note what they are asked. */
  readonly notes?: boolean;
  readonly parts?: HostParts;
}

/** Starts a host with scripted plugins; closed after the test. */
export async function scripted(t: TestContext, given: ScriptedOptions = {}): Promise<Scripted> {
  const { ids = ["scripted"], timeouts = {}, manifest = {}, options, notes: noting = false } = given;
  const dir = await t.folder();
  const grant = {
    log: { linesPerSecond: 50_000, lineChars: 8192 },
    timers: { count: 4096 },
    clock: true,
    random: true,
  } as const;
  for (const id of ids) {
    await writeFile(join(dir, `${id}.js`), scriptedPlugin(id));
    const permissions = { log: grant.log, timers: grant.timers, clock: true, random: true };
    await writeFile(
      join(dir, `${id}.plugin.json`),
      JSON.stringify({ networkTypes: [id, `${id}-control`], permissions, ...manifest }),
    );
  }
  const notes: Noted[] = [];
  const keep = (_fields: object, line: string): void => {
    if (line.startsWith("@")) notes.push(JSON.parse(line.slice(1)) as Noted);
    else if (process.env.BULKHEAD_TEST_LOG && !line.startsWith("xxx")) console.error(line);
  };
  const host = await startHost(
    {
      plugins: dir,
      isolation: "thread",
      policy: {
        defaults: { timeouts: { init: 15_000, ...timeouts } },
        plugins: Object.fromEntries(
          ids.map((id) => [id, { grant, ...(options ? { options: options as never } : {}) }]),
        ),
      },
      logger: { debug: keep, info: keep, warn: keep, error: keep },
    },
    { ...NO_SPARES, ...given.parts },
  );
  t.cleanup(() => host.close());
  const [first = "scripted"] = ids;
  const control = (id: string, config: object): Promise<void> =>
    host.driver(`${id}-control`).config({ notes: noting, ...config } as never);
  for (const id of ids) await control(id, {});
  return {
    host,
    dir,
    notes,
    driver: (id = first) => host.driver(id),
    cue: (cues, id = first) => control(id, { cues }),
    timer: (what, ms = 100_000, id = first) => control(id, { timer: { what, ms } }),
  };
}

/** Resolves with the next event of that name about `plugin`. */
export function event<N extends Parameters<PluginHost["on"]>[0]>(
  host: PluginHost,
  name: N,
  plugin = "scripted",
): Promise<{ readonly reason?: string; readonly code?: string }> {
  return new Promise((resolve) => {
    const listener = (happened: { readonly plugin: string }): void => {
      if (happened.plugin !== plugin) return;
      host.off(name, listener as never);
      resolve(happened as never);
    };
    host.on(name, listener as never);
  });
}
