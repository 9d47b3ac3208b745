/** A plugins folder that a test fills, hosts over it that end with the test, and the events they give. */
import "../../kit/bundles.js";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  createPluginHost,
  EndpointConfig,
  type HostEventName,
  type HostEvents,
  type JsonObject,
  type Logger,
  type PluginHost,
  type PluginHostOptions,
  type PluginInfo,
} from "#dist/index.js";
import type { TestContext } from "../../harness.js";

/** The repository: tests run from `build/`. */
export const REPO: string = fileURLToPath(new URL("../../../../", import.meta.url));

/** One line of a host's log. */
export interface LogLine {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly fields: Readonly<Record<string, unknown>>;
  readonly text: string;
}

export interface House {
  /** The plugins folder. */
  readonly plugins: string;
  /** A path beside the plugins folder. */
  path(name: string): string;
  /** Writes files into the plugins folder. */
  put(files: Readonly<Record<string, string | Uint8Array>>): Promise<void>;
  /** Removes one. */
  drop(name: string): Promise<void>;
  /** Starts a host; it is closed after the test. */
  open(options?: Partial<PluginHostOptions>): Promise<PluginHost>;
  /** What all hosts have logged. */
  readonly log: readonly LogLine[];
}

export async function house(t: TestContext, files: Readonly<Record<string, string | Uint8Array>> = {}): Promise<House> {
  const root = await t.folder();
  const plugins = join(root, "plugins");
  await mkdir(plugins);
  const log: LogLine[] = [];
  const line =
    (level: LogLine["level"]) =>
    (fields: object, text = ""): void => {
      log.push({ level, fields: fields as LogLine["fields"], text });
    };
  const logger: Logger = { debug: line("debug"), info: line("info"), warn: line("warn"), error: line("error") };
  const one: House = {
    plugins,
    log,
    path: (name) => join(root, name),
    async put(given) {
      for (const [name, text] of Object.entries(given)) {
        await mkdir(dirname(join(plugins, name)), { recursive: true });
        await writeFile(join(plugins, name), text);
      }
    },
    drop: (name) => rm(join(plugins, name), { recursive: true }),
    async open(options = {}) {
      const host = await createPluginHost({ plugins, isolation: "thread", logger, ...options });
      t.cleanup(() => host.close());
      return host;
    },
  };
  await one.put(files);
  return one;
}

/** What a plugin in one file is made of; every part is the author's text. */
export interface PluginParts {
  /** Ahead of `init`. */
  readonly top?: string;
  /** At the start of `init`. */
  readonly start?: string;
  /** Members of the driver that take the place of the nine idle ones. */
  readonly methods?: string;
  /** The capability. */
  readonly capability?: string;
  /** At the end of `init`. */
  readonly end?: string;
}

/** The text of a plugin with one driver. */
export function plugin(type: string, parts: PluginParts = {}): string {
  const { top = "", start = "", end = "", capability = '{ scope: "local" }' } = parts;
  return `${top}
export async function init(callback, powers) {
  ${start}
  await callback.registerDriver(${JSON.stringify(type)}, ${driver(type, parts.methods)}, ${capability});
  ${end}
}
`;
}

/** The text of a driver that does nothing, but for `methods`. */
export function driver(type: string, methods = ""): string {
  return `{
    type: () => ${JSON.stringify(type)}, config() {}, createNetwork() {}, deleteNetwork() {}, createEndpoint() {},
    deleteEndpoint() {}, endpointOperInfo: () => ({}), join() {}, leave() {},
    ${methods}
  }`;
}

/** A plugin that tells, through `endpointOperInfo`, what `expression` is inside it. */
export function telling(type: string, expression: string): string {
  return plugin(type, { methods: `endpointOperInfo: async () => ({ told: ${expression} }),` });
}

/** What a `telling` plugin tells. */
export async function told(host: PluginHost, type: string): Promise<unknown> {
  const served = host.driver(type);
  await served.createNetwork("n");
  await served.createEndpoint("n", "e", new EndpointConfig());
  const { told } = (await served.endpointOperInfo("n", "e")) as JsonObject;
  await served.deleteEndpoint("n", "e");
  await served.deleteNetwork("n");
  return told;
}

/** The row of one plugin in `host.plugins()`. */
export function row(host: PluginHost, name: string): PluginInfo {
  const found = host.plugins().find((one) => one.name === name);
  if (!found) throw new Error(`no plugin "${name}" among ${host.plugins().map((one) => one.name)}`);
  return found;
}

/** Resolves with the next event of that name which `fits`. */
export function next<N extends HostEventName>(
  host: PluginHost,
  name: N,
  fits: (event: HostEvents[N]) => boolean = () => true,
): Promise<HostEvents[N]> {
  return new Promise((resolve) => {
    const listener = (event: HostEvents[N]): void => {
      if (!fits(event)) return;
      host.off(name, listener);
      resolve(event);
    };
    host.on(name, listener);
  });
}

const NAMES: readonly HostEventName[] = [
  "plugin:loaded",
  "plugin:awaiting-grant",
  "plugin:refused",
  "plugin:restarting",
  "plugin:restarted",
  "plugin:unavailable",
  "plugin:stopped",
  "plugin:log",
  "driver:registered",
  "driver:unregistered",
  "driver:refused",
  "call:timeout",
  "violation",
];

/** One event that was given. */
export interface Heard {
  readonly name: HostEventName;
  readonly event: Readonly<Record<string, unknown>>;
}

/** Collects every event from now on. */
export function hear(host: PluginHost): readonly Heard[] {
  const heard: Heard[] = [];
  for (const name of NAMES) host.on(name, (event) => void heard.push({ name, event: { ...event } }));
  return heard;
}

/** What a synchronous call throws. */
export function thrown(body: () => unknown): Error & { code?: string; kind?: string } {
  try {
    body();
  } catch (error) {
    return error as Error & { code?: string; kind?: string };
  }
  throw new Error("expected it to throw");
}
