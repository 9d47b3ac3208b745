/** Talks to a control socket. Loads neither fastify nor zod: commands start fast. */
import { type ClientRequest, type IncomingMessage, request } from "node:http";
import { dirname } from "node:path";
import { DriverError, isErrorCode } from "../driverapi/errors.js";
import { CONTROL } from "./limits.js";
import { controlPath, EVENTS_PATH, type Input, OPERATIONS, type OperationName, type Replies } from "./operations.js";
import type { ErrorBody, HostEvent } from "./types.js";

/** What a stream gives: an event, or how many were lost. */
export type Followed = HostEvent | { readonly missed: number };

export class ControlClient {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /**
   * Carries out an operation. Rejects with the host's error, with `ERR_NO_DAEMON` if no host serves the socket, and with
   * `ERR_CONTROL_SOCKET` if it cannot be used.
   */
  async ask<N extends OperationName>(
    name: N,
    { id, body }: Input = {},
    /** Deadline of the reply, in milliseconds. */
    within: number = OPERATIONS[name].method === "GET" ? CONTROL.readMs : CONTROL.replyMs,
  ): Promise<Replies[N]> {
    const { method, path } = OPERATIONS[name];
    const to = id === undefined ? path : path.replace("{id}", encodeURIComponent(id));
    const response = await this.#send(method, to, body === undefined ? undefined : JSON.stringify(body), within);
    const text = await readAll(response);
    const reply = parsed(text);
    // `health` and `ready` have a body of their own with 503.
    const failed = response.statusCode !== 200 && typeof (reply as ErrorBody | undefined)?.code === "string";
    if (failed) throw errorOf(reply as ErrorBody);
    if (reply === undefined)
      throw this.#unusable(`its reply is not one of a bulkhead host (HTTP ${response.statusCode})`);
    return reply as Replies[N];
  }

  /** Yields events until the host ends the stream. Rejects as `ask` does. */
  async *events(query: Readonly<Record<string, string>>, signal?: AbortSignal): AsyncGenerator<Followed> {
    const to = `${EVENTS_PATH}?${new URLSearchParams(query)}`;
    const response = await this.#send("GET", to, undefined, 0, signal);
    if (response.statusCode !== 200) throw errorOf(parsed(await readAll(response)) as ErrorBody);
    response.setEncoding("utf8");
    let rest = "";
    try {
      for await (const part of response) {
        const blocks = `${rest}${part}`.split("\n\n");
        rest = blocks.pop() ?? "";
        for (const block of blocks) {
          const event = eventOf(block);
          if (event) yield event;
        }
      }
    } catch (error) {
      // The host, or our own caller, has ended the connection.
      if ((error as NodeJS.ErrnoException).code !== "ECONNRESET" && !signal?.aborted) throw error;
    } finally {
      response.destroy();
    }
  }

  #send(
    method: string,
    path: string,
    body: string | undefined,
    timeout: number,
    signal?: AbortSignal,
  ): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const sent: ClientRequest = request({
        ...{ socketPath: this.#path, method, path, agent: false, timeout },
        headers: { host: "bulkhead", ...(body === undefined ? {} : { "content-type": "application/json" }) },
        ...(signal ? { signal } : {}),
      });
      sent.once("response", resolve);
      sent.once("timeout", () =>
        sent.destroy(this.#unusable(`no reply within ${timeout / 1000} s; the host is stopped or blocked`)),
      );
      sent.on("error", (error: NodeJS.ErrnoException) => reject(this.#unreachable(error)));
      sent.end(body);
    });
  }

  #unreachable(error: NodeJS.ErrnoException): Error {
    if (error instanceof DriverError) return error;
    if (error.code === "ENOENT" || error.code === "ECONNREFUSED")
      return new DriverError(
        "ERR_NO_DAEMON",
        `no bulkhead host runs at ${this.#path}; start one with: ${serveCommand(this.#path)} (its plugins and policy are those in /etc/bulkhead unless --plugins and --policy name others); or name a running one's data folder with --data-dir, or its socket with --control`,
      );
    if (error.code === "EACCES" || error.code === "EPERM")
      return this.#unusable("this account may not connect; use root's, or that of the data folder's owner");
    return this.#unusable(error.message);
  }

  #unusable(why: string): DriverError {
    return new DriverError("ERR_CONTROL_SOCKET", `${this.#path}: ${why}`);
  }
}

/** Returns the command that serves a control socket at this path: the daemon's own defaults do not depend on the working folder. */
function serveCommand(path: string): string {
  const folder = dirname(path);
  return `bulkhead serve ${controlPath(folder) === path ? `--data-dir ${folder}` : `--control ${path}`}`;
}

async function readAll(response: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of response) {
    bytes += (part as Buffer).length;
    if (bytes > CONTROL.replyBytes) throw new DriverError("ERR_CONTROL_SOCKET", "the host's reply is too large");
    parts.push(part as Buffer);
  }
  return Buffer.concat(parts).toString();
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Returns the host's error, with its code if it is one that this version knows. */
function errorOf(body: ErrorBody | undefined): DriverError {
  const { code = "", message = "the host gave no reason", plugin } = body ?? {};
  const known = isErrorCode(code) ? code : "ERR_INTERNAL";
  return new DriverError(known, message, { plugin });
}

function eventOf(block: string): Followed | undefined {
  const lines = block.split("\n");
  const data = lines.find((line) => line.startsWith("data: "));
  if (data === undefined) return undefined;
  const value = JSON.parse(data.slice(6)) as HostEvent & { readonly count?: number };
  return lines.includes("event: missed") ? { missed: value.count ?? 0 } : value;
}
