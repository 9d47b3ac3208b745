/**
 * The messages between the platform's process and a bundler process. The reply comes from a process that has read hostile
 * files: lengths are checked before bytes are kept, and fields before use.
 */

import { LIMITS } from "../protocol/limits.js";
import { BUNDLER } from "./limits.js";

/** The one line of JSON that a bundler process reads. */
export interface ChildRequest {
  /** Absolute folder of the plugin. */
  readonly root: string;
  /** Absolute path of the entry file. */
  readonly entry: string;
  /** True for a plugin that is one file: it may load only itself, `root/node_modules` and `bulkhead/plugin`. */
  readonly single: boolean;
}

/** A file that was bundled, or that affected the bundling (`package.json`). */
export interface BundledFile {
  /** Relative to the plugin's folder, with `/`. */
  readonly path: string;
  /** Hex, of the bytes that were bundled. */
  readonly sha256: string;
}

/** The error codes of a bundler process. */
export const FAILURE_CODES = [
  "ERR_PLUGIN_FILE",
  "ERR_PLUGIN_SIZE",
  "ERR_PLUGIN_SYNTAX",
  "ERR_PLUGIN_IMPORT",
  "ERR_BUNDLE_FAILED",
] as const;

/** One of {@link FAILURE_CODES}. */
export type FailureCode = (typeof FAILURE_CODES)[number];

/** A plugin that could not be bundled. */
export interface Failure {
  readonly ok: false;
  readonly code: FailureCode;
  readonly message: string;
  readonly file?: string | undefined;
  readonly line?: number | undefined;
}

/** A plugin that was bundled. */
export interface Success {
  readonly ok: true;
  readonly code: string;
  readonly sourceMap: string;
  readonly files: readonly BundledFile[];
  /** Hex digest of how the files import each other; absent if none does. */
  readonly imports?: string;
  /** The Node modules it imports, whose copies are in the code; absent for none. */
  readonly nodeModules?: readonly string[];
}

/** The one reply of a bundler process. */
export type Answer = Success | Failure;

/** The remedy for a plugin that the bundler cannot handle. */
export const SIMPLER = "make it smaller or less deeply nested, or bundle it yourself before you drop it in";

/** Three lengths, 32 bits each, big-endian: header, code, source map. The parts follow in that order. */
const PREFIX = 12;

/** Encodes a reply. */
export function encodeAnswer(answer: Answer): Buffer {
  const [code, map] = answer.ok ? [answer.code, answer.sourceMap] : ["", ""];
  const header = answer.ok
    ? {
        ok: true,
        files: answer.files.map((file) => [file.path, file.sha256]),
        imports: answer.imports,
        nodeModules: answer.nodeModules,
      }
    : answer;
  const parts = [JSON.stringify(header), code, map].map((text) => Buffer.from(text));
  const prefix = Buffer.alloc(PREFIX);
  for (const [index, part] of parts.entries()) prefix.writeUInt32BE(part.length, index * 4);
  return Buffer.concat([prefix, ...parts]);
}

/**
 * Returns the full length of the reply that begins with these bytes; undefined while there are too few. Throws a plain Error if
 * a part exceeds its limit.
 */
export function answerLength(start: Buffer): number | undefined {
  if (start.length < PREFIX) return undefined;
  return PREFIX + partLengths(start).reduce((sum, length) => sum + length, 0);
}

/** Decodes a whole reply. Throws a plain Error if it is not valid. */
export function decodeAnswer(bytes: Buffer): Answer {
  const [headerBytes, codeBytes] = partLengths(bytes);
  const codeAt = PREFIX + headerBytes;
  const header: unknown = JSON.parse(bytes.toString("utf8", PREFIX, codeAt));
  if (typeof header !== "object" || header === null) throw new Error("its header is not an object");
  const field = (name: string): unknown => (Object.hasOwn(header, name) ? Reflect.get(header, name) : undefined);
  if (field("ok") === true) {
    return {
      ok: true,
      code: bytes.toString("utf8", codeAt, codeAt + codeBytes),
      sourceMap: bytes.toString("utf8", codeAt + codeBytes),
      files: filesOf(field("files")),
      ...importsOf(field("imports")),
      ...nodeModulesOf(field("nodeModules")),
    };
  }
  const code = FAILURE_CODES.find((known) => known === field("code"));
  const message = field("message");
  const file = field("file");
  const line = field("line");
  if (code === undefined || typeof message !== "string") throw new Error("its failure has no code or no message");
  return {
    ok: false,
    code,
    message: shown(message),
    file: typeof file === "string" ? shown(file) : undefined,
    line: Number.isSafeInteger(line) && Number(line) > 0 ? Number(line) : undefined,
  };
}

/** Makes text from hostile files fit for one line of a log: escapes control characters and bounds its length. */
export function shown(text: string): string {
  const cut = text.length > LIMITS.messageChars ? `${text.slice(0, LIMITS.messageChars)}…` : text;
  return cut.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (char) => `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`);
}

function partLengths(bytes: Buffer): [header: number, code: number, map: number] {
  const lengths: [number, number, number] = [bytes.readUInt32BE(0), bytes.readUInt32BE(4), bytes.readUInt32BE(8)];
  const [header, code, map] = lengths;
  if (header > BUNDLER.headerBytes || code > BUNDLER.outputBytes || map > BUNDLER.mapBytes) {
    throw new Error(`its parts have ${lengths.join(", ")} bytes`);
  }
  return lengths;
}

function importsOf(value: unknown): { readonly imports?: string } {
  if (value === undefined) return {};
  if (!isHash(value)) throw new Error("its imports have no hash");
  return { imports: value };
}

function nodeModulesOf(value: unknown): { readonly nodeModules?: readonly string[] } {
  if (value === undefined) return {};
  const names: readonly unknown[] = Array.isArray(value) && value.length <= NODE_NAMES ? value : [null];
  if (!names.every((name): name is string => typeof name === "string" && /^[a-z_/]{1,32}$/.test(name)))
    throw new Error("its list of Node's modules is not valid");
  return { nodeModules: names };
}

/** Longest list of Node modules: more than there are. */
const NODE_NAMES = 128;

function isHash(value: unknown): value is string {
  return typeof value === "string" && /^[0-9a-f]{64}$/.test(value);
}

function filesOf(value: unknown): BundledFile[] {
  if (!Array.isArray(value) || value.length > 2 * BUNDLER.files) throw new Error("its list of files is too long");
  return value.map((pair: unknown) => {
    const [path, sha256] = Array.isArray(pair) && pair.length === 2 ? (pair as unknown[]) : [];
    if (typeof path !== "string" || path === "" || path.startsWith("/") || path.split("/").includes("..")) {
      throw new Error("its list of files names a path outside");
    }
    if (!isHash(sha256)) throw new Error("its list of files has no hash");
    return { path, sha256 };
  });
}
