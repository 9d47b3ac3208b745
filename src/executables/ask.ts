/**
 * Shared by the executables that platforms start: asks the daemon, or leaves a request that must not be lost. The executables are bundled
 * and start often, so they load modules only when they use them.
 */
import type { ExecutableReply, ExecutableRequest } from "../attachments/executable.js";
import { writableByOthers } from "../common/folder-owner.js";

/** What the installer writes at the head of the executable. */
export interface Installed {
  /** The daemon's control socket. */
  readonly socket: string;
  /** The network type that the executable serves. */
  readonly driver: string;
}

/** Deadline of an answer, in milliseconds: longer than the deadlines of a driver's calls together. */
const ANSWER_MS = 60_000;

/** The daemon does not run, cannot be reached, or refused the request as such. */
export class NoAnswer extends Error {}

/** Sends a request to the daemon. Rejects with `NoAnswer`. */
export function ask(socket: string, platform: string, request: ExecutableRequest): Promise<ExecutableReply> {
  const { connect } = process.getBuiltinModule("node:net");
  const body = JSON.stringify(request);
  const head = [
    `POST /v1/${platform} HTTP/1.1`,
    "host: bulkhead",
    "connection: close",
    "content-type: application/json",
  ];
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    const fail = (why: string): void => reject(new NoAnswer(why));
    const link = connect(socket, () =>
      link.write(`${head.join("\r\n")}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`),
    );
    link.setTimeout(ANSWER_MS, () => link.destroy(new Error(`it gave no answer within ${ANSWER_MS / 1000} s`)));
    link.on("data", (part) => void parts.push(part));
    link.once("error", (error: NodeJS.ErrnoException) =>
      fail(
        error.code === "ENOENT" || error.code === "ECONNREFUSED"
          ? `no bulkhead host runs at ${socket}; start one with: bulkhead serve`
          : `the bulkhead host at ${socket} cannot be asked: ${error.message}`,
      ),
    );
    link.once("close", () => {
      const [top = "", text = ""] = split(Buffer.concat(parts).toString(), "\r\n\r\n");
      try {
        const reply = JSON.parse(text) as ExecutableReply & { readonly code?: string; readonly message?: string };
        if (top.startsWith("HTTP/1.1 200 ")) resolve(reply);
        else fail(`the bulkhead host refused the request: ${reply.code}: ${reply.message}`);
      } catch {
        fail(`the bulkhead host at ${socket} ended before it answered`);
      }
    });
  });
}

/** Leaves a request for the daemon, which carries it out when it is back. Throws if others could write one, or it cannot be written. */
export function leave(socket: string, platform: string, request: ExecutableRequest): void {
  const { lstatSync, mkdirSync, renameSync, writeFileSync } = process.getBuiltinModule("node:fs");
  const folder = `${socket}.missed`;
  const name = `${String(Date.now()).padStart(15, "0")}-${process.pid}.${platform}.json`;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const why = writableByOthers(lstatSync(folder), process.geteuid?.());
  if (why !== undefined) throw new Error(`${folder} is not used: ${why}; remove it`);
  writeFileSync(`${folder}/.${name}`, JSON.stringify(request), { mode: 0o600, flag: "wx" });
  renameSync(`${folder}/.${name}`, `${folder}/${name}`);
}

/** Returns the variables whose names begin with `prefix`. */
export function variables(prefix: string): Record<string, string> {
  const found = Object.entries(process.env).filter(([name]) => name.startsWith(prefix));
  return Object.fromEntries(found.map(([name, value]) => [name, value ?? ""]));
}

/** Returns the standard input, read at once; "" if there is none. */
export function input(): string {
  const { readFileSync } = process.getBuiltinModule("node:fs");
  try {
    return readFileSync(0, "utf8");
  } catch {
    return "";
  }
}

/** Writes to the standard output and ends. */
export function end({ output, exit }: ExecutableReply): never {
  const { writeSync } = process.getBuiltinModule("node:fs");
  for (let rest = Buffer.from(output); rest.length > 0; rest = rest.subarray(writeSync(1, rest)));
  process.exit(exit);
}

function split(text: string, by: string): readonly string[] {
  const at = text.indexOf(by);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + by.length)];
}
