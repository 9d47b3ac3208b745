/**
 * A driver that does what a test tells it to, call by call, and a host that runs it. The plugin registers two types: its
 * own, and `ID-control`, whose `config()` takes the script; so the script travels beside the calls it is about, and is
 * forgotten with the worker. The driver keeps its own books and objects to whatever does not fit them: a call for
 * something it was never given, a second create. What a host forgets to restore or to undo shows as an error.
 */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { DriverMethod, HostedDriver, OptionalDriverMethod } from "#dist/driverapi/types.js";
import type { HostParts } from "#dist/host/host-parts.js";
import { type PluginHost, startHost } from "#dist/host/plugin-host.js";
import type { TestContext } from "../harness.js";

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

/** The plugin's code. `id`: its plugin id and network type. */
function scriptedPlugin(id: string): string {
  return `
const worker = Math.floor(Math.random() * 1e9);
const cues = new Map();
const networks = new Map();
const key = (method, nid, eid) => JSON.stringify([method, nid, eid ?? null]);
const ascii = (text) => text.replace(/[^ -~]/g, (unit) => "\\\\u" + unit.charCodeAt(0).toString(16).padStart(4, "0"));
const note = (entry) => console.log("@" + ascii(JSON.stringify({ ...entry, worker })));
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const failure = (message, more) => Object.assign(new Error(message), more);
const forever = () => new Promise(() => {});
const block = (ms) => { const end = Date.now() + ms; while (Date.now() < end); };
let quiet = true;

async function play(method, nid, eid, ctx, work, wrong, noted = {}) {
  const at = key(method, nid, eid);
  const onReplay = ctx.replay && noted.options?.onReplay;
  const cue = onReplay ? { what: onReplay, times: 1 } : cues.get(at);
  if (cue && --cue.times <= 0) cues.delete(at);
  const { what = "ok", ms = 100000 } = cue ?? {};
  const about = { method, nid, ...(eid === undefined ? {} : { eid }) };
  if (!quiet) {
    note({ ...about, replay: ctx.replay, ...noted });
    ctx.signal.addEventListener("abort", () => note({ ...about, event: "abort" }));
  }
  try {
    switch (what) {
      case "ok": return work();
      case "throw": throw failure("scripted: " + method);
      case "notFound": throw failure("scripted: not found", { kind: "NotFound" });
      case "ownCode": throw failure("scripted: own code", { code: "ERR_ENDPOINT_NOT_FOUND" });
      case "forge": throw failure("scripted: forged", { code: "ERR_DRIVER_TIMEOUT", kind: "Timeout", retry: true });
      case "text": throw "scripted: text";
      case "badReply": { const value = work(); return wrong(value); }
      case "doneThrow": work(); throw failure("scripted: done, and thrown");
      case "late": await sleep(ms); return work();
      case "lateThrow": await sleep(ms); throw failure("scripted: late");
      case "lateNotFound": await sleep(ms); work(); throw failure("scripted: late", { kind: "NotFound" });
      case "never": return await forever();
      case "obey": await new Promise((resolve) => ctx.signal.addEventListener("abort", resolve)); throw ctx.signal.reason;
      case "crash": setTimeout(() => { throw failure("scripted: stray throw"); }, ms === 100000 ? 1 : ms); return await forever();
      case "reject": void Promise.reject(failure("scripted: stray rejection")); return await forever();
      case "doneCrash": work(); setTimeout(() => { throw failure("scripted: stray throw"); }, 1); return await forever();
      case "spin": block(ms); return work();
      case "chatter": { const end = Date.now() + ms; while (Date.now() < end) console.log("x".repeat(4000)); return work(); }
      case "microtasks": { const end = Date.now() + ms; while (Date.now() < end) await undefined; return work(); }
      case "continuation": await sleep(5); block(ms); return work();
      case "finally": try { await sleep(5); throw failure("scripted: in a try"); } finally { block(ms); }
      case "onCancel": ctx.signal.addEventListener("abort", () => block(ms)); return await forever();
      default: throw failure("no such behaviour: " + what);
    }
  } finally {
    if (!quiet) note({ ...about, event: "end" });
  }
}

const network = (nid) => networks.get(nid) ?? (() => { throw failure("BOOKS: unknown network " + nid, { kind: "NotFound" }); })();
const endpoint = (nid, eid) => network(nid).get(eid) ?? (() => { throw failure("BOOKS: unknown endpoint " + eid, { kind: "NotFound" }); })();
const addressOf = (eid) => { let n = 7; for (const c of eid) n = (n * 31 + c.codePointAt(0)) % 60000; return "10.77." + (n >> 8) + "." + (n & 255) + "/16"; };

const driver = {
  type: () => ${JSON.stringify(id)},
  config(options) { if (!quiet) note({ method: "config", options }); },
  createNetwork: (nid, options, ctx) => play("createNetwork", nid, undefined, ctx, () => {
    if (networks.has(nid)) throw failure("BOOKS: a second network " + nid);
    networks.set(nid, new Map());
  }, undefined, { options }),
  deleteNetwork: (nid, ctx) => play("deleteNetwork", nid, undefined, ctx, () => {
    if (network(nid).size > 0) throw failure("BOOKS: endpoints are left");
    networks.delete(nid);
  }),
  createEndpoint: (nid, eid, epInfo, options, ctx) => play("createEndpoint", nid, eid, ctx, () => {
    if (network(nid).has(eid)) throw failure("BOOKS: a second endpoint " + eid);
    const given = epInfo.interfaces();
    if (given.length === 0) epInfo.addInterface(0, "", addressOf(eid), "");
    network(nid).set(eid, { address: epInfo.interfaces()[0].address(), joined: false });
  }, () => { epInfo.addInterface(9, "", "127.0.0.5/8", ""); }, { options, given: epInfo.interfaces().map((one) => [one.id(), one.address()]) }),
  deleteEndpoint: (nid, eid, ctx) => play("deleteEndpoint", nid, eid, ctx, () => {
    if (endpoint(nid, eid).joined) throw failure("BOOKS: still joined");
    network(nid).delete(eid);
  }),
  endpointOperInfo: (nid, eid, ctx) => play("endpointOperInfo", nid, eid, ctx, () => ({ ...endpoint(nid, eid) }), () => "no object"),
  join: (nid, eid, sandbox, jinfo, options, ctx) => play("join", nid, eid, ctx, () => {
    const one = endpoint(nid, eid);
    if (one.joined) throw failure("BOOKS: a second join");
    one.joined = true;
    for (const name of jinfo.interfaceNames()) name.setNames("scr" + name.id(), "eth");
    jinfo.setGateway("10.77.0.1");
    jinfo.addStaticRoute("10.78.0.0/16", 0, one.address.split("/")[0], 0);
  }, () => { jinfo.addStaticRoute("0.0.0.0/0", 0, "10.77.0.1", 0); }, { options }),
  leave: (nid, eid, ctx) => play("leave", nid, eid, ctx, () => {
    const one = endpoint(nid, eid);
    if (!one.joined) throw failure("BOOKS: not joined", { kind: "NotFound" });
    one.joined = false;
  }),
  programExternalConnectivity: (nid, eid, options, ctx) => play("programExternalConnectivity", nid, eid, ctx, () => {
    endpoint(nid, eid).programmed = options.port ?? 0;
    return "not null";
  }, undefined, { options }),
  revokeExternalConnectivity: (nid, eid, ctx) => play("revokeExternalConnectivity", nid, eid, ctx, () => {
    delete endpoint(nid, eid).programmed;
    return { not: null };
  }),
};

const nothing = () => {};
let registered = false;
const control = {
  type: () => ${JSON.stringify(`${id}-control`)},
  config({ cues: given = [], notes, timer, reset }) {
    // What was configured last is told to every new worker; a script is for the worker it was given to.
    if (notes !== undefined) quiet = !notes;
    if (!registered) return;
    if (reset) cues.clear();
    for (const { method, nid, eid, what, ms, times = 1 } of given) cues.set(key(method, nid, eid), { what, ms, times });
    if (timer?.what === "spin") setTimeout(() => block(timer.ms), 1);
    if (timer?.what === "chatter") setTimeout(() => { const end = Date.now() + timer.ms; while (Date.now() < end) console.log("x".repeat(4000)); }, 1);
    if (timer?.what === "crash") setTimeout(() => { throw failure("scripted: stray throw in a timer"); }, 1);
  },
  createNetwork: nothing, deleteNetwork: nothing, createEndpoint: nothing, deleteEndpoint: nothing,
  endpointOperInfo: () => ({}), join: nothing, leave: nothing,
};

export async function init(callback) {
  await callback.registerDriver(control.type(), control, { scope: "local" });
  await callback.registerDriver(driver.type(), driver, { scope: "local" });
  registered = true;
}
`;
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
    given.parts ?? {},
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
