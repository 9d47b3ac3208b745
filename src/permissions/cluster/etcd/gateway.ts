/** HTTP to etcd's members: deadlines, bounded replies, another member if a request was not sent, and whether a failed one may have acted. */
import type { Pool } from "undici";
import { messageOf } from "../../../common/text.js";
import type { Json, JsonObject } from "../../../driverapi/json.js";
import { type Payer, StoreError } from "../backend.js";
import type { ClusterFigures } from "../limits.js";
import type { EtcdOptions } from "../options.js";
import { storeErrorOf } from "./failures.js";
import { clusterIdOf, readToken } from "./wire.js";

/** How a request is sent, and its reply read. */
export interface PostOptions<T> {
  /** It must not be sent twice, and a failure after it was sent leaves its outcome unknown. */
  readonly write?: boolean;
  /** Reads the first JSON value of the reply. */
  readonly read: (reply: Json) => T;
  readonly payer?: Payer | undefined;
  /** The most bytes of the reply. */
  readonly most?: number | undefined;
}

/** A reply as it arrives. */
interface Reply {
  readonly status: number;
  readonly body: AsyncIterable<Uint8Array>;
}

/** Bytes that a piece of a line is counted as having beyond its own. */
const PIECE_BYTES = 1_024;

export class Gateway {
  readonly #options: EtcdOptions;
  readonly #figures: ClusterFigures;
  #pools: Promise<readonly Pool[]> | undefined;
  /** The member that is asked first. */
  #first = 0;
  #token: Promise<string> | undefined;
  #clusterId: string | undefined;

  constructor(options: EtcdOptions, figures: ClusterFigures) {
    this.#options = options;
    this.#figures = figures;
  }

  /** Sends a request, and resolves with what `read` makes of its reply. Rejects with `StoreError`. */
  async post<T>(path: string, request: JsonObject, options: PostOptions<T>): Promise<T> {
    const until = performance.now() + this.#figures.storeMs;
    try {
      return await this.#try(path, request, options, until, await this.#login(until));
    } catch (error) {
      if (!(error instanceof StoreError) || !isStaleToken(error)) throw error;
      // etcd refused the request before it looked at it.
      this.#token = undefined;
      return this.#try(path, request, options, until, await this.#login(until));
    }
  }

  /** Opens a reply that goes on until `signal` aborts; yields what `read` makes of its lines. Rejects with `StoreError`. */
  async *lines<T>(
    path: string,
    request: JsonObject,
    signal: AbortSignal,
    { read, payer }: Pick<PostOptions<T>, "read" | "payer">,
  ): AsyncGenerator<T> {
    const token = await this.#login(performance.now() + this.#figures.storeMs);
    const sent = { body: false };
    const member = this.#first;
    // Whatever ends a watch, the next one asks another member.
    this.#pass(member);
    const { status, body } = await this.#send(member, path, request, token, sent, signal, true);
    if (status !== 200) {
      const error = storeErrorOf(status, await this.#text(body, this.#figures.replyBytes, false), false);
      if (isStaleToken(error)) this.#token = undefined;
      throw error;
    }
    let rest: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of body) {
      let start = 0;
      for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
        const parts = [...rest, chunk.subarray(start, end)];
        if (size === 0 && end === start) throw new StoreError("an empty line of the store's");
        [rest, size, start] = [[], 0, end + 1];
        // Not read meanwhile, so that the store sends no more.
        await payer?.free(() => signal.aborted);
        yield charged(payer, () => read(this.#parse(Buffer.concat(parts).toString(), false)));
      }
      if (start === chunk.length) continue;
      rest.push(chunk.subarray(start));
      // Each piece holds memory of its own, however short it is.
      size += chunk.length - start + PIECE_BYTES;
      if (size > this.#figures.lineBytes) throw new StoreError("a line of the store's is too long");
    }
    // An error that ends the reply has no line break behind it.
    if (size > 0) yield charged(payer, () => read(this.#parse(Buffer.concat(rest).toString(), false)));
  }

  async close(): Promise<void> {
    const pools = await this.#pools?.catch(() => []);
    await Promise.all((pools ?? []).map((pool) => pool.destroy()));
  }

  /** Moves on to the next member, if `member` is still the one that is asked first. */
  #pass(member: number): void {
    if (this.#first === member) this.#first = (member + 1) % this.#options.endpoints.length;
  }

  /** Asks one member after another, as long as that cannot do a write twice. */
  async #try<T>(
    path: string,
    request: JsonObject,
    { write = false, read, payer, most = this.#figures.replyBytes }: PostOptions<T>,
    until: number,
    token?: string,
  ): Promise<T> {
    let last: StoreError | undefined;
    const start = this.#first;
    for (let tries = 0; tries < this.#options.endpoints.length; tries++) {
      const member = (start + tries) % this.#options.endpoints.length;
      const left = Math.ceil(until - performance.now());
      if (left <= 0) break;
      const sent = { body: false };
      try {
        // A read leaves time for the other members; a write that was sent is not sent to another.
        const signal = AbortSignal.timeout(write ? left : Math.ceil(left / (this.#options.endpoints.length - tries)));
        const { status, body } = await this.#send(member, path, request, token, sent, signal, false);
        const text = await this.#text(body, most, write);
        if (status !== 200) throw storeErrorOf(status, text, write);
        return charged(payer, () => read(this.#parse(text, write)));
      } catch (error) {
        last =
          error instanceof StoreError
            ? error
            : new StoreError(reasonOf(error), { unknown: write && sent.body, cause: error });
        if (last.gone !== undefined || isStaleToken(last)) throw last;
        this.#pass(member);
        if (last.unknown) throw last;
      }
    }
    throw last ?? new StoreError("the store did not answer in time");
  }

  async #send(
    member: number,
    path: string,
    request: JsonObject,
    token: string | undefined,
    /** Its `body` becomes true when the request's body is about to be written to a connection. */
    sent: { body: boolean },
    signal: AbortSignal,
    endless: boolean,
  ): Promise<Reply> {
    this.#pools ??= this.#open();
    const pool = (await this.#pools)[member % this.#options.endpoints.length];
    if (!pool) throw new StoreError("no member of the store is configured");
    const bytes = Buffer.from(JSON.stringify(request));
    // undici asks for the body when it is about to write it: not before there is a connection.
    async function* body(): AsyncGenerator<Uint8Array> {
      sent.body = true;
      yield bytes;
    }
    const { statusCode, body: reply } = await pool.request({
      method: "POST",
      path: `/v3/${path}`,
      headers: {
        "content-type": "application/json",
        "content-length": String(bytes.length),
        // A member without a leader ends its watches instead of going silent.
        ...(endless ? { "grpc-metadata-hasleader": "true" } : {}),
        ...(token === undefined ? {} : { authorization: token }),
      },
      body: body() as never,
      signal,
      headersTimeout: this.#figures.storeMs,
      bodyTimeout: endless ? 0 : this.#figures.storeMs,
    });
    return { status: statusCode, body: reply };
  }

  async #open(): Promise<readonly Pool[]> {
    // Loaded when a plugin first uses it: most hosts have no such plugin.
    const { Pool } = await import("undici");
    const { endpoints, ca, cert, key } = this.#options;
    const connect = {
      timeout: this.#figures.connectMs,
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
    };
    return endpoints.map((endpoint) => new Pool(new URL(endpoint).origin, { connect, allowH2: false }));
  }

  /** Returns a token for the operator's account; undefined if none is configured. */
  async #login(until: number): Promise<string | undefined> {
    const { user, password } = this.#options;
    if (user === undefined || password === undefined) return undefined;
    this.#token ??= this.#try("auth/authenticate", { name: user, password }, { read: readToken }, until);
    try {
      return await this.#token;
    } catch (error) {
      this.#token = undefined;
      // Whatever failed, the request itself was not sent.
      throw new StoreError(messageOf(error), { cause: error });
    }
  }

  async #text(body: AsyncIterable<Uint8Array>, most: number, write: boolean): Promise<string> {
    const chunks: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of body) {
      size += chunk.length;
      if (size > most) throw new StoreError("a reply of the store's is too long", { unknown: write });
      chunks.push(chunk);
    }
    return Buffer.concat(chunks).toString();
  }

  /** Parses a reply, and checks that it comes from the cluster that answered first. */
  #parse(text: string, write: boolean): Json {
    let reply: Json;
    try {
      reply = JSON.parse(text) as Json;
    } catch (cause) {
      throw new StoreError("the store's reply is not JSON", { unknown: write, cause });
    }
    const id = clusterIdOf(reply) ?? clusterIdOf((reply as JsonObject | null)?.result ?? null);
    this.#clusterId ??= id;
    if (id === undefined || id === this.#clusterId) return reply;
    throw new StoreError(
      "another cluster answers than before; check the endpoints, and restart this host if the store was restored",
      { unknown: write },
    );
  }
}

function charged<T>(payer: Payer | undefined, work: () => T): T {
  return payer ? payer.charge(work) : work();
}

function isStaleToken(error: StoreError): boolean {
  return /invalid auth token|revision of auth store is old/.test(error.message);
}

function reasonOf(error: unknown): string {
  if (error instanceof Error && error.name === "TimeoutError") return "the store did not answer in time";
  const code = (error as { readonly code?: unknown } | null)?.code;
  return typeof code === "string" ? `the store cannot be reached: ${code}` : `the store failed: ${messageOf(error)}`;
}
