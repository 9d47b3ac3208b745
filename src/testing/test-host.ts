/** A host for an author's own tests: one plugin in a worker thread, everything else in memory. */

import type { Logger } from "../common/logger.js";
import { DriverError } from "../driverapi/errors.js";
import { knownOptions } from "../driverapi/known-options.js";
import type { HostedDriver } from "../driverapi/types.js";
import type { HostEvents } from "../host/events.js";
import { netlinkOf, type PluginHost, startHost } from "../host/plugin-host.js";
import type { PermissionSet } from "../policy/manifest/schema.js";
import type { PolicyEntry } from "../policy/schema.js";
import { KillableThreads } from "./killable-threads.js";
import { learnUsage } from "./learned.js";
import { copyForTest, type PluginCopy, testPolicy } from "./plugin-copy.js";

/** Options of a test host. */
export interface TestHostOptions {
  /** The plugin's file or folder. It is copied, so tests do not change it. */
  readonly plugin: string;
  /**
   * Limits of granted permissions. Others are granted as the manifest asks for them; limits that it leaves to the operator are
   * set as by `bulkhead check`: prefix "bh", subnets 10.64.0.0/10 and fd64::/32.
   */
  readonly permissions?: PermissionSet;
  /** The policy's entry for the plugin: options for `config`, timeouts, limits. Its `grant` overrides `permissions`. */
  readonly policy?: PolicyEntry;
  /** "self": every call reaches the driver, and the host restores nothing. Default: the manifest's. */
  readonly recovery?: "replay" | "self";
  /** What carries out `netlink`. Default: the in-memory model. */
  readonly backend?: "model" | "kernel";
  /** Links that exist in the model from the start, such as the parents of a macvlan: names, or names with addresses in CIDR form. */
  readonly links?: readonly (string | TestLink)[];
  /** With `backend: "kernel"`, the network namespace to work in. */
  readonly netns?: string;
  /** Receives every line that the host and the plugin log. Default: none. */
  readonly logger?: Logger;
}

/** A link of the model. */
export interface TestLink {
  readonly name: string;
  readonly addresses: readonly string[];
}

/** A running test host. */
export interface TestHost {
  /** The plugin's id. */
  readonly id: string;
  /** The host itself, for its events, `plugins()` and `reload()`. */
  readonly host: PluginHost;
  /** Returns the driver of a type, by default of the only registered one. Throws `ERR_DRIVER_NOT_FOUND`. */
  driver(type?: string): HostedDriver;
  /** Lists all links where `netlink` works, without those moved into sandboxes. */
  links(): Promise<readonly string[]>;
  /**
   * Terminates the plugin's worker as a crash would; pending calls reject with `ERR_OUTCOME_UNKNOWN`. Resolves when the next worker
   * has restored the networks; rejects with `ERR_REPLAY_FAILED` if one could not be restored, or `ERR_PLUGIN_UNAVAILABLE` if the
   * plugin is not restarted, as after its fifth crash within a minute (`host.reload(id)` resets the count).
   */
  kill(): Promise<void>;
  /** Closes the host and removes the copy. Idempotent. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** The options' names. */
export const TEST_HOST_OPTIONS: readonly (keyof TestHostOptions)[] = [
  "plugin",
  "permissions",
  "policy",
  "recovery",
  "backend",
  "links",
  "netns",
  "logger",
];

const SILENT: Logger = { debug() {}, info() {}, warn() {}, error() {} };

/** Captures the host's log lines about networks that could not be restored. */
class ReplayFailures {
  readonly logger: Logger;
  #last: string | undefined;

  constructor(logger: Logger) {
    this.logger = {
      debug: (fields, line) => logger.debug(fields, line),
      info: (fields, line) => logger.info(fields, line),
      warn: (fields, line) => logger.warn(fields, line),
      error: (fields, line) => {
        if ("code" in fields && fields.code === "ERR_REPLAY_FAILED") this.#last = line;
        logger.error(fields, line);
      },
    };
  }

  /** Returns the last one since the previous call. */
  take(): string | undefined {
    const last = this.#last;
    this.#last = undefined;
    return last;
  }
}

/**
 * Starts the plugin in a host of its own, with a SES-hardened worker thread, a journal in memory, and a model of the kernel. Resolves
 * when its drivers are in service; rejects with the error that kept it from loading, or `ERR_OPTIONS` for an unknown option.
 */
export async function createTestHost(options: TestHostOptions): Promise<TestHost> {
  knownOptions("createTestHost", options, TEST_HOST_OPTIONS);
  const copy = await copyForTest(options.plugin, options.recovery);
  const threads = new KillableThreads();
  const failures = new ReplayFailures(options.logger ?? SILENT);
  let host: PluginHost | undefined;
  try {
    host = await startHost(
      {
        plugins: copy.folder,
        policy: testPolicy(copy.found, options.permissions, options.policy),
        isolation: "thread",
        backend: options.backend ?? "model",
        cluster: { store: "memory" },
        logger: failures.logger,
        ...(options.netns === undefined ? {} : { netns: options.netns }),
      },
      { threads },
    );
    if (options.backend !== "kernel") await addLinks(host, options.links ?? []);
    const [plugin] = host.plugins();
    if (plugin?.state !== "running") throw plugin?.refusal ?? notRunning(copy.id, plugin?.state ?? "not there");
    const learned = await learnUsage(host, copy.id);
    return new RunningTestHost(copy, host, threads, failures, learned);
  } catch (error) {
    await host?.close();
    await copy.remove();
    throw error;
  }
}

class RunningTestHost implements TestHost {
  readonly id: string;
  readonly host: PluginHost;
  readonly #copy: PluginCopy;
  readonly #threads: KillableThreads;
  readonly #failures: ReplayFailures;
  readonly #learned: () => Promise<void>;
  #closing: Promise<void> | undefined;

  constructor(
    copy: PluginCopy,
    host: PluginHost,
    threads: KillableThreads,
    failures: ReplayFailures,
    learned: () => Promise<void>,
  ) {
    this.id = copy.id;
    this.host = host;
    this.#copy = copy;
    this.#threads = threads;
    this.#failures = failures;
    this.#learned = learned;
  }

  driver(type?: string): HostedDriver {
    if (type !== undefined) return this.host.driver(type);
    const types = this.host.plugins()[0]?.drivers ?? [];
    const [only] = types;
    if (only !== undefined && types.length === 1) return this.host.driver(only);
    const rule = `plugin "${this.id}" registers ${types.join(", ") || "no driver"}; name the type you mean`;
    throw new DriverError("ERR_DRIVER_NOT_FOUND", rule, { plugin: this.id });
  }

  async links(): Promise<readonly string[]> {
    const view = await netlinkOf(this.host)?.backend.look();
    return [...(view?.links.keys() ?? [])].sort();
  }

  kill(): Promise<void> {
    const back = new Promise<void>((resolve, reject) => {
      const settle = (): void => {
        this.host.off("plugin:restarted", restarted);
        this.host.off("plugin:unavailable", gone);
        this.host.off("plugin:stopped", gone);
      };
      const restarted = (): void => {
        settle();
        const lost = this.#failures.take();
        if (lost === undefined) resolve();
        else reject(new DriverError("ERR_REPLAY_FAILED", lost, { plugin: this.id }));
      };
      const gone = ({ reason }: HostEvents["plugin:unavailable"]): void => {
        settle();
        reject(unavailable(this.id, reason));
      };
      this.host.on("plugin:restarted", restarted);
      this.host.on("plugin:unavailable", gone);
      this.host.on("plugin:stopped", gone);
    });
    this.#threads.crash();
    return back;
  }

  close(): Promise<void> {
    this.#closing ??= this.#learned()
      .finally(() => this.host.close())
      .finally(() => this.#copy.remove());
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** Adds links as bridges; their kind does not matter to the rules. */
async function addLinks(host: PluginHost, links: readonly (string | TestLink)[]): Promise<void> {
  const units = links.map((link) => {
    const { name, addresses } = typeof link === "string" ? { name: link, addresses: [] } : link;
    return [
      { change: { op: "add", link: { kind: "bridge", name } } } as const,
      { change: { op: "up", name } } as const,
      ...addresses.map((address) => ({ change: { op: "addAddress", name, address } }) as const),
    ];
  });
  await netlinkOf(host)?.backend.apply(units);
}

function notRunning(plugin: string, state: string): DriverError {
  return new DriverError("ERR_PLUGIN_START", `plugin "${plugin}" is ${state}`, { plugin });
}

function unavailable(plugin: string, reason: string | undefined): DriverError {
  const why = `plugin "${plugin}" was not restarted after it was killed: ${reason ?? "no reason given"}`;
  return new DriverError("ERR_PLUGIN_UNAVAILABLE", why, { plugin });
}
