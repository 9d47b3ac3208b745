/** The daemon's settings: flags win over the config file, and the config file over defaults. */
import { isAbsolute } from "node:path";
import { quote } from "../../common/quote.js";
import { isLoopback, type TcpAddress, tcpAddress } from "../../common/tcp-address.js";
import { z } from "../../common/zod.js";
import { controlPath } from "../../control/operations.js";
import { DOCKER_DIR, DOCKER_PREFIX } from "../../docker/gateway.js";
import { DOCKER } from "../../docker/limits.js";
import type { SocketOwner } from "../../docker/socket-file.js";
import { DriverError } from "../../driverapi/errors.js";
import { ISOLATIONS, type Isolation } from "../../isolation/link.js";
import { DOCUMENT_LIMITS } from "../../policy/limits.js";
import { parseDocumentText } from "../../policy/manifest/document.js";
import { readRegularFile } from "../../policy/manifest/read-file.js";
import { DEFAULTS, DOCKER_ENGINE } from "./defaults.js";

/** A config file; every key has a flag of the same name. */
export interface ServeConfig {
  readonly $schema?: string;
  readonly plugins?: string | readonly string[];
  readonly policy?: string;
  readonly dataDir?: string;
  readonly dockerDir?: string;
  readonly dockerPrefix?: string;
  /** The account, as `UID` or `UID:GID`, that may connect besides root. */
  readonly socketOwner?: string;
  /** Deadline of every request of an engine, in milliseconds. */
  readonly answerMs?: number;
  /** The engine's own socket, asked for container names. */
  readonly engine?: string;
  readonly netns?: string;
  /** A file that names the store which hosts share. */
  readonly cluster?: string;
  readonly backend?: "kernel" | "model" | "auto";
  readonly isolation?: Isolation;
  /** Keep running without a driver to serve. */
  readonly allowEmpty?: boolean;
  readonly logLevel?: LogLevel;
  /** The control socket's path; false: none. */
  readonly control?: string | false;
  /** Where metrics are served: `PORT` on 127.0.0.1, or `ADDRESS:PORT`. */
  readonly metrics?: string;
  /** Where the page is served: `PORT` on 127.0.0.1, or `ADDRESS:PORT` with a loopback address. */
  readonly http?: string;
}

export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** The settings in force: every default filled in. */
export interface ServeSettings {
  readonly plugins: readonly string[];
  readonly policy: string;
  readonly dataDir: string;
  readonly dockerDir: string;
  readonly dockerPrefix: string;
  readonly socketOwner: SocketOwner | undefined;
  readonly answerMs: number;
  readonly engine: string;
  readonly netns: string | undefined;
  readonly cluster: string | undefined;
  readonly backend: "kernel" | "model" | "auto";
  readonly isolation: Isolation | undefined;
  readonly allowEmpty: boolean;
  readonly logLevel: LogLevel;
  readonly control: string | undefined;
  readonly metrics: TcpAddress | undefined;
  readonly http: TcpAddress | undefined;
}

const path = z.string().min(1).max(4096);
/** The schema of a TCP address; the error says what is wanted. */
const address = (wanted: string): z.ZodType<string> =>
  z.string().refine((text) => tcpAddress(text) !== undefined, { error: `must be ${wanted}` });

const METRICS = "a port, or an IP address and a port, such as 127.0.0.1:9464 or [::1]:9464";
const HTTP = "a port, or a loopback address and a port, such as 127.0.0.1:9465 or [::1]:9465";

/** The config file's schema; shipped as JSON Schema too. */
export const serveSchema: z.ZodType<ServeConfig> = z.strictObject({
  $schema: z.exactOptional(path),
  plugins: z.exactOptional(z.union([path, z.array(path).min(1).max(64)])),
  policy: z.exactOptional(path),
  dataDir: z.exactOptional(path),
  dockerDir: z.exactOptional(path),
  dockerPrefix: z.exactOptional(z.string().regex(/^[a-z0-9][a-z0-9._-]{0,31}$/)),
  socketOwner: z.exactOptional(z.string().regex(/^\d{1,10}(:\d{1,10})?$/)),
  answerMs: z.exactOptional(z.int().min(100).max(600_000)),
  engine: z.exactOptional(path),
  netns: z.exactOptional(path),
  cluster: z.exactOptional(path),
  backend: z.exactOptional(z.enum(["kernel", "model", "auto"])),
  isolation: z.exactOptional(z.enum(ISOLATIONS)),
  allowEmpty: z.exactOptional(z.boolean()),
  logLevel: z.exactOptional(z.enum(LOG_LEVELS)),
  control: z.exactOptional(z.union([path, z.literal(false)])),
  metrics: z.exactOptional(address(METRICS)),
  http: z.exactOptional(address(HTTP)),
});

/** Reads the config file. `named`: the user gave its path, so it must be there. Throws `ERR_OPTIONS`. */
export async function readServeConfig(file: string, named: boolean): Promise<ServeConfig> {
  const read = await readRegularFile(file, { maxBytes: DOCUMENT_LIMITS.manifestBytes, followLink: true });
  if (read.kind === "absent" && !named) return {};
  if (read.kind === "absent") throw wrong(`${file}: the file does not exist`);
  if (read.kind === "refused") throw wrong(`${file}: ${read.why}`);
  return parseDocumentText(read.text, {
    code: "ERR_OPTIONS",
    schema: serveSchema,
    maxBytes: DOCUMENT_LIMITS.manifestBytes,
    file,
  });
}

/** What the value of a flag must be, unless it is a path. */
const WANTED: Readonly<Partial<Record<keyof ServeConfig, string>>> = {
  dockerPrefix: "1 to 32 lowercase letters, digits, dots, dashes or underscores, beginning with a letter or digit",
  socketOwner: "UID or UID:GID, in numbers",
  answerMs: "a whole number of milliseconds from 100 to 600000",
  backend: "one of kernel, model, auto",
  isolation: `one of ${ISOLATIONS.join(", ")}`,
  metrics: METRICS,
  http: HTTP,
  logLevel: `one of ${LOG_LEVELS.join(", ")}`,
};

/**
 * Merges flags, file and defaults, in this order of precedence. Throws `ERR_USAGE` for a flag whose value is not valid, `ERR_OPTIONS`
 * where the merged settings are not.
 */
export function settle(flags: ServeConfig, config: ServeConfig): ServeSettings {
  const checked = serveSchema.safeParse(flags);
  if (!checked.success) {
    const key = String(checked.error.issues[0]?.path[0] ?? "") as keyof ServeConfig;
    throw new DriverError("ERR_USAGE", `${flagName(key)} is ${WANTED[key] ?? "a path of at most 4096 characters"}`);
  }
  if (flags.dockerDir !== undefined && !isAbsolute(flags.dockerDir))
    throw new DriverError("ERR_USAGE", `--docker-dir is an absolute path, not ${quote(flags.dockerDir)}`);
  const all: ServeConfig = { ...DEFAULTS, ...config, ...checked.data };
  const { plugins = DEFAULTS.plugins, dockerDir = DOCKER_DIR, dataDir = DEFAULTS.dataDir } = all;
  // An engine finds sockets by an absolute path, and the daemon may be started from anywhere.
  if (!isAbsolute(dockerDir)) throw wrong(`dockerDir is an absolute path, not ${quote(dockerDir)}`);
  const http = all.http === undefined ? undefined : tcpAddress(all.http);
  if (http && !isLoopback(http.host))
    throw wrong(`http is a loopback address, not ${http.host}: from another machine, use a tunnel (ssh -L)`);
  if (http && all.control === false) throw wrong('http needs the control socket: remove "control": false, or http');
  return {
    plugins: typeof plugins === "string" ? [plugins] : plugins,
    policy: all.policy ?? DEFAULTS.policy,
    dataDir,
    dockerDir,
    dockerPrefix: all.dockerPrefix ?? DOCKER_PREFIX,
    socketOwner: owner(all.socketOwner),
    answerMs: all.answerMs ?? DOCKER.answerMs,
    engine: all.engine ?? DOCKER_ENGINE,
    netns: all.netns,
    cluster: all.cluster,
    backend: all.backend ?? "auto",
    isolation: all.isolation,
    allowEmpty: all.allowEmpty ?? false,
    logLevel: all.logLevel ?? "info",
    control: all.control === false ? undefined : (all.control ?? controlPath(dataDir)),
    metrics: all.metrics === undefined ? undefined : tcpAddress(all.metrics),
    http,
  };
}

function owner(text: string | undefined): SocketOwner | undefined {
  if (text === undefined) return undefined;
  const [uid = 0, gid = uid] = text.split(":").map(Number);
  return { uid, gid };
}

function flagName(key: string): string {
  return `--${key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

function wrong(message: string): DriverError {
  return new DriverError("ERR_OPTIONS", message);
}
