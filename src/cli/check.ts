/** `bulkhead check PATH`: bundles one plugin, lists what it asks for, and runs its `init` in a temporary host. */

import type { Logger } from "../common/logger.js";
import { DriverError, isErrorCode } from "../driverapi/errors.js";
import type { Scope } from "../driverapi/types.js";
import { bundleDiscovered } from "../host/bundled.js";
import type { PlatformCallback } from "../host/context.js";
import type { Discovered } from "../host/discovery.js";
import { askedPermissions, askedScope, effectiveGrant } from "../policy/effective.js";
import { grantAll } from "../policy/grant-all.js";
import { missingText } from "../policy/grant-command.js";
import type { Policy } from "../policy/schema.js";
import { CapturedLog, type WallReport } from "./captured-log.js";
import { withCopy } from "./copy-plugin.js";
import { findingLines, findings } from "./findings/findings.js";
import { permissionsText, type Report } from "./output.js";

/** The part of a plugin host that a check needs. */
export interface CheckHost {
  plugins(): readonly {
    readonly name: string;
    readonly state: string;
    readonly drivers: readonly string[];
    readonly refusal?: unknown;
  }[];
  close(): Promise<void>;
}

/** Creates the host in which a check runs `init`. */
export type MakeHost = (options: CheckHostOptions) => Promise<CheckHost>;

/** Options of that host. */
export interface CheckHostOptions {
  readonly plugins: string;
  readonly policy: Policy;
  /** Called for every driver that is registered. */
  readonly callback: PlatformCallback;
  readonly logger: Logger;
}

/** Checks the plugin at `path`, granting all that it asks for. Throws or reports every error of the plugin. */
export async function check(path: string, makeHost: MakeHost = productHost): Promise<Report> {
  return withCopy(path, "bulkhead-check-", (plugin, folder) => checkCopy(plugin, folder, makeHost));
}

async function checkCopy(plugin: Discovered, folder: string, makeHost: MakeHost): Promise<Report> {
  const { files, code, sourceMap, sha256, nodeModules = [] } = await bundleDiscovered(plugin);
  const found = findings(plugin, code, sourceMap);
  const question = { id: plugin.id, manifest: plugin.manifest, policy: {} };
  const asks = { scope: askedScope(question), permissions: askedPermissions(question) };
  const policy: Policy = { plugins: { [plugin.id]: grantAll(plugin.id, plugin.manifest) } };
  const { networkTypes, missing } = effectiveGrant({ ...question, policy });
  if (missing.length > 0) {
    const words = `its manifest asks for nothing that can be granted at ${missingText(missing)}; name at least one item there`;
    throw new DriverError("ERR_GRANT_MISSING", words, { plugin: plugin.id });
  }

  const data = {
    plugin: plugin.id,
    version: plugin.version ?? null,
    asks,
    networkTypes,
    files: files.length,
    bytes: code.length,
    nodeModules,
    sha256,
    findings: found,
  };
  const lines = [
    `${plugin.id}${plugin.version === undefined ? "" : ` ${plugin.version}`}: ${files.length} file${files.length === 1 ? "" : "s"}, bundled to ${code.length} bytes`,
    `  asks for     scope ${asks.scope}; ${permissionsText(asks.permissions)}`,
    `  types        ${networkTypes.join(", ")}`,
    ...(nodeModules.length === 0
      ? []
      : [`  of Node's    ${nodeModules.join(", ")} (copies without access to the machine)`]),
    `  sha256       ${sha256}`,
    ...findingLines(found),
  ];
  const outcome = await runInit(plugin, folder, policy, makeHost);
  const { drivers, wall, log, error } = outcome;
  lines.push(...drivers.map(({ type, scope }) => `  registered   ${type} (${scope})`));
  lines.push(...written(log));
  if (wall.name !== null) lines.push(`  ran behind   ${wall.name}`);
  if (wall.weakened !== null) lines.push(`  ${wall.weakened}`);
  return {
    data: { ...data, drivers, console: log.written, wall },
    text: lines.join("\n"),
    ...(error ? { error } : {}),
  };
}

interface Outcome {
  readonly drivers: readonly { readonly type: string; readonly scope: Scope }[];
  readonly wall: WallReport;
  /** Holds the plugin's own log lines. */
  readonly log: CapturedLog;
  readonly error?: DriverError;
}

/** Runs `init`; returns the drivers it registers, or the error, and the wall. */
async function runInit(plugin: Discovered, folder: string, policy: Policy, makeHost: MakeHost): Promise<Outcome> {
  const scopes = new Map<string, Scope>();
  const callback: PlatformCallback = {
    registerDriver(type, _driver, { scope }) {
      scopes.set(type, scope);
    },
  };
  const log = new CapturedLog();
  const host = await makeHost({ plugins: folder, policy, callback, logger: log });
  try {
    const seen = host.plugins().find(({ name }) => name === plugin.id);
    const wall = log.wall;
    if (seen?.state !== "running")
      return { drivers: [], wall, log, error: refusal(plugin.id, seen?.state ?? "not found", seen?.refusal) };
    return { drivers: seen.drivers.map((type) => ({ type, scope: scopes.get(type) ?? "local" })), wall, log };
  } finally {
    await host.close();
  }
}

/** Formats the plugin's log lines for the report. */
function written({ written: all, more }: CapturedLog): readonly string[] {
  const lines = all.map(({ level, message, fields }) => {
    const words = fields === undefined ? message : `${message} ${JSON.stringify(fields)}`;
    return `  console      ${level === "info" ? "" : `${level}: `}${words}`;
  });
  return more === 0 ? lines : [...lines, `  console      … and ${more} more lines`];
}

function refusal(id: string, state: string, why: unknown): DriverError {
  if (why instanceof DriverError) return why;
  const { code, message, reason } = (typeof why === "object" && why !== null ? why : {}) as Readonly<
    Record<string, unknown>
  >;
  const words = String(message ?? reason ?? `the plugin is ${state}`);
  return new DriverError(isErrorCode(code) ? code : "ERR_PLUGIN_INIT", words, { plugin: id, cause: why });
}

/**
 * Creates a real host with the in-memory model of a kernel, behind the strongest wall available: the plugin is not trusted yet.
 * Imports the host here, since no other command needs it.
 */
async function productHost(options: Parameters<MakeHost>[0]): Promise<CheckHost> {
  const { createPluginHost } = await import("../index.js");
  const policy = { ...options.policy, sandbox: "auto" } as const;
  return createPluginHost({ ...options, policy, backend: "model" });
}
