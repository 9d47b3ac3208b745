/** A host for an author's own tests: one plugin in a worker of its own, everything else in memory. */

import type { Logger } from "../common/logger.js";
import { DriverError } from "../driverapi/errors.js";
import type { HostedDriver } from "../driverapi/types.js";
import type { HostEvents } from "../host/events.js";
import { netlinkOf, type PluginHost, startHost } from "../host/plugin-host.js";
import type { PermissionSet } from "../policy/manifest/schema.js";
import type { PolicyEntry } from "../policy/schema.js";
import { KillableThreads } from "./killable-threads.js";
import { copyForTest, type PluginCopy, testPolicy } from "./plugin-copy.js";

/** What a test host is made of. */
export interface TestHostOptions {
  /** The plugin's file or folder. It is copied: what the test does leaves no trace there. */
  readonly plugin: string;
  /**
   * Limits of permissions to grant. What is not named is granted as the manifest asks for it; and where that leaves
   * to the operator what must be named (a `netlink` prefix and subnets), as `bulkhead check` does: "bh",
   * 10.64.0.0/10, fd64::/32.
   */
  readonly permissions?: PermissionSet;
  /** The policy's entry for the plugin: options for `config`, timeouts, limits. Its `grant` has the last word. */
  readonly policy?: PolicyEntry;
  /** "self": every call reaches the driver, the host decides nothing and restores nothing. Default: the manifest's. */
  readonly recovery?: "replay" | "self";
  /** What carries out `netlink`. Default: the model in memory. */
  readonly backend?: "model" | "kernel";
  /** Names of links that the model's machine has of its own, such as the parents of a macvlan. */
  readonly links?: readonly string[];
  /** With `backend: "kernel"`, the network namespace to work in. */
  readonly netns?: string;
  /** Told of every line the host and the plugin log. Default: nobody. */
  readonly logger?: Logger;
}

/** A running test host. */
export interface TestHost {
  /** The plugin's id. */
  readonly id: string;
  /** The host itself, for its events, `plugins()` and `reload()`. */
  readonly host: PluginHost;
  /** The driver of a type; without one, of the only type the plugin registers. Throws `ERR_DRIVER_NOT_FOUND`. */
  driver(type?: string): HostedDriver;
  /** Names of all links there are where `netlink` works, those moved into sandboxes excepted. */
  links(): Promise<readonly string[]>;
  /**
   * Ends the plugin's worker as a crash would, and resolves when the next one has its networks back and serves. Calls
   * in flight reject with `ERR_OUTCOME_UNKNOWN`. Rejects with `ERR_REPLAY_FAILED` when a network could not be
   * restored, and with `ERR_PLUGIN_UNAVAILABLE` when the plugin does not come back: after the fifth crash within a
   * minute for one; `host.reload(id)` begins a new count.
   */
  kill(): Promise<void>;
  /** Ends everything and removes the copy. Twice is harmless. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

const SILENT: Logger = { debug() {}, info() {}, warn() {}, error() {} };

/** The host's words on networks that could not be restored; it says them nowhere else at that moment. */
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

  /** The last one since it was taken. */
  take(): string | undefined {
    const last = this.#last;
    this.#last = undefined;
    return last;
  }
}

/**
 * Starts the plugin in a host of its own: a worker thread, SES and all, a journal in memory, and, for what needs a
 * kernel, a model of one. Resolves when its drivers serve; rejects with what kept it from loading, as
 * `host.plugins()` would tell.
 */
export async function createTestHost(options: TestHostOptions): Promise<TestHost> {
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
        logger: failures.logger,
        ...(options.netns === undefined ? {} : { netns: options.netns }),
      },
      { threads },
    );
    if (options.backend !== "kernel") await addLinks(host, options.links ?? []);
    const [plugin] = host.plugins();
    if (plugin?.state !== "running") throw plugin?.refusal ?? notRunning(copy.id, plugin?.state ?? "not there");
    return new RunningTestHost(copy, host, threads, failures);
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
  #closing: Promise<void> | undefined;

  constructor(copy: PluginCopy, host: PluginHost, threads: KillableThreads, failures: ReplayFailures) {
    this.id = copy.id;
    this.host = host;
    this.#copy = copy;
    this.#threads = threads;
    this.#failures = failures;
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
    this.#closing ??= this.host.close().finally(() => this.#copy.remove());
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** Any kind does: a rule looks at a link's name, address and size. */
async function addLinks(host: PluginHost, names: readonly string[]): Promise<void> {
  const units = names.map((name) => [
    { change: { op: "add", link: { kind: "bridge", name } } } as const,
    { change: { op: "up", name } } as const,
  ]);
  await netlinkOf(host)?.backend.apply(units);
}

function notRunning(plugin: string, state: string): DriverError {
  return new DriverError("ERR_PLUGIN_START", `plugin "${plugin}" is ${state}`, { plugin });
}

function unavailable(plugin: string, reason: string | undefined): DriverError {
  const why = `plugin "${plugin}" did not come back after it was killed: ${reason ?? "no reason given"}`;
  return new DriverError("ERR_PLUGIN_UNAVAILABLE", why, { plugin });
}
