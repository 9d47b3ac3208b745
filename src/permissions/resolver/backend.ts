/** The sockets for name queries in one network namespace: a process of ours, or a model. What is allowed is decided before. */
import type { Upstream } from "./grant.js";

/** An address of a bridge at which queries are taken, port 53 over UDP and TCP. */
export interface Listener {
  /** Canonical, plain. */
  readonly ip: string;
  /** The bridge's network in CIDR form; what others send is dropped. */
  readonly subnet: string;
  readonly queriesPerSecond: number;
  readonly outstanding: number;
}

/** A query of a client's. */
export interface Query {
  /** Unique among those without an answer. */
  readonly id: number;
  /** The listener's address. */
  readonly ip: string;
  /** The client's address. */
  readonly from: string;
  readonly tcp: boolean;
  /** The message's bytes, in base64; hostile. */
  readonly message: string;
}

/** A question to an upstream server. */
export interface Question {
  readonly server: Upstream;
  readonly tcp: boolean;
  /** The message's bytes, in base64. Its first two bytes, the id, are replaced on the way. */
  readonly message: string;
}

export interface ResolverBackend {
  readonly kind: "kernel" | "model";
  /** Called with every query. */
  heard: (query: Query) => void;
  /** Takes queries at an address; if it does so already, only forgets the answers kept there. Rejects with `ERR_RESOLVER_FAILED`. */
  listen(listener: Listener): Promise<void>;
  /** Takes no more queries there. Never rejects. */
  stop(ip: string): Promise<void>;
  /** Sends an answer, unless its client has gone. `keepMs`: for how long it may be given again; 0 for not at all. */
  answer(id: number, message: string, keepMs: number): void;
  /** Gives up a query without an answer. */
  drop(id: number): void;
  /** Asks an upstream server. Resolves with the reply's bytes, in base64; rejects with `ERR_RESOLVER_FAILED`. */
  ask(question: Question): Promise<string>;
  /** Closes all sockets. */
  close(): Promise<void>;
}
