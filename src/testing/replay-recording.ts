/** Replays what an operator's host has recorded against the author's driver: what failed there fails in a test. */
import { readFile } from "node:fs/promises";
import { messageOf } from "../common/text.js";
import { EndpointConfig } from "../driverapi/endpoint-config.js";
import { DriverError } from "../driverapi/errors.js";
import type { InterfaceRecord } from "../driverapi/interfaces.js";
import { JoinConfig } from "../driverapi/join-config.js";
import type { Json, JsonObject } from "../driverapi/json.js";
import { knownOptions } from "../driverapi/known-options.js";
import type { HostedDriver } from "../driverapi/types.js";
import type { RecordedCall, RecordedEvent } from "../host/recorder/entry.js";
import { parseRecording } from "../host/recorder/read-recording.js";
import { createTestHost, TEST_HOST_OPTIONS, type TestHostOptions } from "./test-host.js";

/** Options of a replay: those of the test host, and the recording. */
export interface ReplayOptions extends TestHostOptions {
  /** The file that `bulkhead record export` has written. */
  readonly recording: string;
}

/** An error as a caller gets it. */
export interface ReplayError {
  readonly code: string;
  readonly message: string;
}

/** One call, then and now. `method` is "restart" where the worker ended, or was ended, in between. */
export interface ReplayedCall {
  readonly type: string;
  readonly method: string;
  readonly args: readonly Json[];
  /** How it failed when it was recorded; absent: it succeeded. */
  readonly recorded?: ReplayError;
  /** How it failed in the replay. */
  readonly replayed?: ReplayError;
}

export interface Replayed {
  readonly calls: readonly ReplayedCall[];
  /** Those that failed in the replay. */
  readonly failures: readonly ReplayedCall[];
  /** Those that ended in another way than recorded: one succeeded, or the codes differ. */
  readonly differences: readonly ReplayedCall[];
  /** Calls that could not be made: on a network that is older than the recording, or with arguments too long to record. */
  readonly skipped: number;
}

/**
 * Makes the recorded calls again, one after another, in the order in which they began, in a test host; where the worker crashed or was
 * restarted, it is killed. Rejects as `createTestHost` does, and with `ERR_OPTIONS` if the file has no calls to this plugin.
 */
export async function replayRecording(options: ReplayOptions): Promise<Replayed> {
  knownOptions("replayRecording", options, [...TEST_HOST_OPTIONS, "recording"]);
  const { recording, ...hostOptions } = options;
  const entries = parseRecording(await readFile(recording, "utf8"));
  const host = await createTestHost(hostOptions);
  try {
    const own = entries.filter(
      (one): one is RecordedCall | RecordedEvent =>
        (one.kind === "call" || one.kind === "event") && one.plugin === host.id,
    );
    if (!own.some(({ kind }) => kind === "call"))
      throw new DriverError(
        "ERR_OPTIONS",
        `${recording} has no calls to plugin "${host.id}"; use bulkhead record export`,
      );
    return await new Replay({
      driver: (type) => host.driver(type),
      kill: () => host.kill(),
      onRestarting: (listener) => host.host.on("plugin:restarting", listener),
    }).run(own);
  } finally {
    await host.close();
  }
}

/** What a replay needs of a test host. */
export interface ReplayHost {
  /** Throws `ERR_DRIVER_NOT_FOUND`. */
  driver(type: string): HostedDriver;
  /** Ends its worker, and resolves when it serves again. */
  kill(): Promise<void>;
  onRestarting(listener: () => void): void;
}

export class Replay {
  readonly #host: ReplayHost;
  readonly #networks = new Set<string>();
  /** Restarts in the replay that no entry has accounted for: a call that is made again may crash the worker again. */
  #restarts = 0;

  constructor(host: ReplayHost) {
    this.#host = host;
    host.onRestarting(() => void this.#restarts++);
  }

  async run(entries: readonly (RecordedCall | RecordedEvent)[]): Promise<Replayed> {
    const calls: ReplayedCall[] = [];
    let skipped = 0;
    for (const entry of entries) {
      if (entry.kind === "call") {
        const done = await this.#call(entry);
        if (done) calls.push(done);
        else skipped++;
      } else if (entry.event === "plugin:restarting") {
        const failed = await this.#restart();
        if (failed) calls.push({ type: "", method: "restart", args: [], replayed: failed });
      }
    }
    const failures = calls.filter(({ replayed }) => replayed !== undefined);
    const differences = calls.filter(({ recorded, replayed }) => recorded?.code !== replayed?.code);
    return { calls, failures, differences, skipped };
  }

  async #restart(): Promise<ReplayError | undefined> {
    if (this.#restarts > 0) {
      this.#restarts--;
      return undefined;
    }
    const failed = await errorOf(() => this.#host.kill());
    this.#restarts = 0;
    return failed;
  }

  /** Returns undefined for a call that cannot be made. */
  async #call({ type, method, args, code, message = "" }: RecordedCall): Promise<ReplayedCall | undefined> {
    if (args === undefined) return undefined;
    const [network] = args;
    if (method === "createNetwork" && typeof network === "string") this.#networks.add(network);
    else if (method !== "config" && !(typeof network === "string" && this.#networks.has(network))) return undefined;
    const replayed = await errorOf(() => call(this.#host.driver(type), method, args));
    return {
      ...{ type, method, args },
      ...(code === undefined ? {} : { recorded: { code, message } }),
      ...(replayed ? { replayed } : {}),
    };
  }
}

/** Makes a call with its arguments as a host sends them to a worker. */
async function call(driver: HostedDriver, method: string, args: readonly Json[]): Promise<unknown> {
  const [a, b, c] = args.map(String) as [string, string, string];
  switch (method) {
    case "config":
      return driver.config(args[0] as JsonObject);
    case "createNetwork":
      return driver.createNetwork(a, args[1] as JsonObject);
    case "deleteNetwork":
      return driver.deleteNetwork(a);
    case "createEndpoint":
      return driver.createEndpoint(a, b, given(args[2]), args[3] as JsonObject);
    case "deleteEndpoint":
      return driver.deleteEndpoint(a, b);
    case "endpointOperInfo":
      return driver.endpointOperInfo(a, b);
    case "join":
      return driver.join(a, b, c, joining(args[3]), args[4] as JsonObject);
    case "leave":
      return driver.leave(a, b);
    case "programExternalConnectivity":
      return driver.programExternalConnectivity(a, b, args[2] as JsonObject);
    case "revokeExternalConnectivity":
      return driver.revokeExternalConnectivity(a, b);
    default:
      throw new DriverError(
        "ERR_OPTIONS",
        `the recording names a method that no driver has: ${JSON.stringify(method)}`,
      );
  }
}

function given(interfaces: Json | undefined): EndpointConfig {
  return new EndpointConfig((interfaces ?? []) as unknown as readonly InterfaceRecord[]);
}

/** Returns the object of a join for interfaces of which only the ids are recorded. */
function joining(ids: Json | undefined): JoinConfig {
  const list = (Array.isArray(ids) ? ids : []) as readonly number[];
  return new JoinConfig(new EndpointConfig(list.map((id) => ({ id }))));
}

async function errorOf(work: () => Promise<unknown>): Promise<ReplayError | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    const code = error instanceof DriverError ? error.code : "ERR_INTERNAL";
    return { code, message: messageOf(error) };
  }
}
