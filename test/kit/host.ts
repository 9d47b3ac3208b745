/** A plugins folder that a test fills, hosts over it that end with the test, and the events they give. */
import "./bundles.js";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { HostParts } from "#dist/host/host-parts.js";
import { startHost } from "#dist/host/plugin-host.js";
import {
  EndpointConfig,
  type HostEventName,
  type HostEvents,
  type JsonObject,
  type PluginHost,
  type PluginHostOptions,
  type PluginInfo,
} from "#dist/index.js";
import type { TestContext } from "../harness.js";
import { type LogLine, recorder } from "./logger.js";

/** The repository: tests run from `build/`. */
export const REPO: string = fileURLToPath(new URL("../../../", import.meta.url));

/** No spare workers or host processes: most tests would never use one, and starting it takes as much CPU time as the plugin's own. */
export const NO_SPARES: HostParts = { spares: 0 };

export interface House {
  /** The plugins folder. */
  readonly plugins: string;
  /** A path beside the plugins folder. */
  path(name: string): string;
  /** Writes files into the plugins folder. */
  put(files: Readonly<Record<string, string | Uint8Array>>): Promise<void>;
  /** Removes one. */
  drop(name: string): Promise<void>;
  /** Starts a host, by default without spares; it is closed after the test. */
  open(options?: Partial<PluginHostOptions>, parts?: HostParts): Promise<PluginHost>;
  /** What all hosts have logged. */
  readonly log: readonly LogLine[];
}

export async function house(t: TestContext, files: Readonly<Record<string, string | Uint8Array>> = {}): Promise<House> {
  const root = await t.folder();
  const plugins = join(root, "plugins");
  await mkdir(plugins);
  const { logger, log } = recorder();
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
    async open(options = {}, parts = NO_SPARES) {
      const host = await startHost({ plugins, isolation: "thread", logger, ...options }, parts);
      t.cleanup(() => host.close());
      return host;
    },
  };
  await one.put(files);
  return one;
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
