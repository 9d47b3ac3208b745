/**
 * The reference model of a driver behind its host (src/host/calls/README.md): what exists, and what each call
 * answers, given how the driver behaves in it. It knows nothing of workers, frames, locks or journals.
 */
import type { Behaviour, Cue } from "../kit/scripted.js";

export type ModelMethod =
  | "createNetwork"
  | "deleteNetwork"
  | "createEndpoint"
  | "deleteEndpoint"
  | "endpointOperInfo"
  | "join"
  | "leave"
  | "programExternalConnectivity"
  | "revokeExternalConnectivity";

/** One call of the platform, and how the driver behaves if it is reached. */
export interface Call {
  readonly method: ModelMethod;
  readonly nid: string;
  /** Not looked at by network calls. */
  readonly eid: string;
  readonly what: Behaviour;
  /** createEndpoint: the platform gives the interfaces. */
  readonly given: boolean;
  /** "before": the caller's signal has fired already; "during": it fires while a slow driver works. */
  readonly abort: "no" | "before" | "during";
  /** What the driver does when a refused reply is rolled back. */
  readonly undo: "ok" | "doneThrow";
}

/** What the platform must see. */
export interface Expected {
  /** undefined: it resolves. */
  readonly code: string | undefined;
  readonly kind?: string;
  /** The end of the message. */
  readonly ends?: string;
  /** What endpointOperInfo answers. */
  readonly value?: unknown;
  /** The driver is reached, and behaves as `what` says. */
  readonly reached: boolean;
}

const KINDS: Readonly<Record<string, string>> = {
  ERR_BAD_ID: "BadRequest",
  ERR_NETWORK_NOT_FOUND: "NotFound",
  ERR_ENDPOINT_NOT_FOUND: "NotFound",
  ERR_NETWORK_EXISTS: "Forbidden",
  ERR_ENDPOINT_EXISTS: "Forbidden",
  ERR_NETWORK_IN_USE: "Forbidden",
  ERR_ENDPOINT_IN_USE: "Forbidden",
  ERR_ENDPOINT_JOINED: "Forbidden",
  ERR_ENDPOINT_NOT_JOINED: "Forbidden",
  ERR_DRIVER_REPLY: "Internal",
  ERR_DRIVER_TIMEOUT: "Timeout",
  ERR_OUTCOME_UNKNOWN: "Internal",
  ERR_CALL_ABORTED: "Timeout",
};

const PROGRAM = "programExternalConnectivity";
const REVOKE = "revokeExternalConnectivity";
const CREATES: ReadonlySet<ModelMethod> = new Set(["createNetwork", "createEndpoint", "join", PROGRAM]);
const NETWORK_CALLS: ReadonlySet<ModelMethod> = new Set(["createNetwork", "deleteNetwork"]);
const INVERSES = { createNetwork: "deleteNetwork", createEndpoint: "deleteEndpoint", join: "leave" } as const;
/** Behaviours that cost the driver its worker. */
const ENDING: ReadonlySet<Behaviour> = new Set(["never", "spin", "crash", "reject", "doneCrash"]);
/** Behaviours during which a caller can leave. */
const SLOW: ReadonlySet<Behaviour> = new Set(["late", "lateThrow", "lateNotFound", "never"]);

/** What a given endpoint is given. */
export const GIVEN = { id: 3, ipv4: "10.77.200.3/16" } as const;

interface Endpoint {
  readonly given: boolean;
  joined: boolean;
  programmed: boolean;
}

/** A call that makes sense: behaviours replaced where a method has no such thing. */
export function sensible(call: Call, endings: number): Call {
  let { what, abort, given } = call;
  const { method } = call;
  if (ENDING.has(what) && endings <= 0) what = "throw";
  if (what === "badReply" && !["createEndpoint", "join", "endpointOperInfo"].includes(method)) what = "throw";
  if (what === "lateNotFound" && CREATES.has(method)) what = "lateThrow";
  if (abort === "during" && !SLOW.has(what)) abort = "no";
  if (what === "badReply") given = false;
  return { ...call, what, abort, given };
}

/** True when the driver's worker ends over it. */
export function endsWorker(what: Behaviour): boolean {
  return ENDING.has(what);
}

/** Calls that wait for none of the others: of those that would, only the first is kept. */
export function independent(calls: readonly Call[]): Call[] {
  const kept: Call[] = [];
  for (const call of calls) {
    const conflicts = kept.some(
      (one) =>
        one.nid === call.nid &&
        (NETWORK_CALLS.has(one.method) || NETWORK_CALLS.has(call.method) || one.eid === call.eid),
    );
    if (!conflicts) kept.push(call);
  }
  return kept;
}

/** The script for a call: what it does, and what its rollback does. `deadline`: the call's, in milliseconds. */
export function cuesOf(call: Call, deadline: number): Cue[] {
  const { method, nid, eid, what, abort, undo } = call;
  const ids = NETWORK_CALLS.has(method) ? { nid } : { nid, eid };
  const cues: Cue[] = [];
  const late = abort === "during" ? deadline / 2 : deadline * 1.45;
  const slow = what === "late" || what === "lateThrow" || what === "lateNotFound" ? { ms: Math.round(late) } : {};
  cues.push({ method, ...ids, what, ...slow });
  if (what === "badReply" && method in INVERSES) {
    cues.push({ method: INVERSES[method as keyof typeof INVERSES], ...ids, what: undo });
  }
  return cues;
}

export class Model {
  readonly #networks = new Map<string, Map<string, Endpoint>>();

  /** What `call` answers, and what exists afterwards, when all its consequences have settled. */
  predict(call: Call): Expected {
    const refusal = this.refusal(call);
    if (refusal !== undefined) return refused(refusal);
    if (this.#isNeedless(call)) return { code: undefined, reached: false };
    const value = call.method === "endpointOperInfo" ? this.#info(call) : undefined;
    const expected = outcome(call);
    const removes = !CREATES.has(call.method);
    // Undone creates are absent, repeated deletes are done; an answer that comes late counts for a delete.
    const applied =
      expected.code === undefined ||
      (removes && (ENDING.has(call.what) || call.what === "late" || call.what === "lateNotFound"));
    if (applied) this.#apply(call);
    // Of unknown outcome, what was programmed before is revoked as well.
    else if (call.method === PROGRAM && (ENDING.has(call.what) || call.what === "late"))
      this.#apply({ ...call, method: REVOKE });
    return expected.code === undefined && value !== undefined ? { ...expected, value } : expected;
  }

  /** True when the driver is asked. */
  reaches(call: Call): boolean {
    return this.refusal(call) === undefined && !this.#isNeedless(call);
  }

  /** Nothing is programmed that could be revoked. */
  #isNeedless({ method, nid, eid }: Call): boolean {
    return method === REVOKE && !this.#networks.get(nid)?.get(eid)?.programmed;
  }

  /** The code with which the host refuses a call without asking the driver. */
  refusal({ method, nid, eid, abort }: Call): string | undefined {
    const ofNetwork = NETWORK_CALLS.has(method);
    if (nid === "" || (!ofNetwork && eid === "")) return "ERR_BAD_ID";
    if (abort === "before") return "ERR_CALL_ABORTED";
    const network = this.#networks.get(nid);
    if (method === "createNetwork") return network ? "ERR_NETWORK_EXISTS" : undefined;
    if (!network) return "ERR_NETWORK_NOT_FOUND";
    if (method === "deleteNetwork") return network.size > 0 ? "ERR_NETWORK_IN_USE" : undefined;
    const endpoint = network.get(eid);
    if (method === "createEndpoint") return endpoint ? "ERR_ENDPOINT_EXISTS" : undefined;
    if (!endpoint) return "ERR_ENDPOINT_NOT_FOUND";
    if (method === "deleteEndpoint") return endpoint.joined ? "ERR_ENDPOINT_IN_USE" : undefined;
    if (method === "join") return endpoint.joined ? "ERR_ENDPOINT_JOINED" : undefined;
    if (method === "leave") return endpoint.joined ? undefined : "ERR_ENDPOINT_NOT_JOINED";
    return undefined;
  }

  /** Calls that take everything down again. */
  teardown(): Call[] {
    const calls: Call[] = [];
    const plain = { what: "ok", given: false, abort: "no", undo: "ok" } as const;
    for (const [nid, endpoints] of this.#networks) {
      for (const [eid, { joined }] of endpoints) {
        if (joined) calls.push({ method: "leave", nid, eid, ...plain });
        calls.push({ method: "deleteEndpoint", nid, eid, ...plain });
      }
      calls.push({ method: "deleteNetwork", nid, eid: "-", ...plain });
    }
    return calls;
  }

  #info({ nid, eid }: Call): unknown {
    const endpoint = this.#networks.get(nid)?.get(eid);
    return { given: endpoint?.given, joined: endpoint?.joined, programmed: endpoint?.programmed };
  }

  #apply({ method, nid, eid, given }: Call): void {
    const endpoints = this.#networks.get(nid);
    const endpoint = endpoints?.get(eid);
    if (method === "createNetwork") this.#networks.set(nid, new Map());
    else if (method === "deleteNetwork") this.#networks.delete(nid);
    else if (method === "createEndpoint") endpoints?.set(eid, { given, joined: false, programmed: false });
    else if (method === "deleteEndpoint") endpoints?.delete(eid);
    else if (endpoint && (method === PROGRAM || method === REVOKE)) endpoint.programmed = method === PROGRAM;
    else if (method !== "endpointOperInfo" && endpoint) endpoint.joined = method === "join";
  }
}

function refused(code: string): Expected {
  return { code, kind: KINDS[code] ?? "", reached: false };
}

function outcome({ method, what, abort, undo }: Call): Expected {
  const answer = (code: string | undefined, kind = code === undefined ? "" : (KINDS[code] ?? "")): Expected => ({
    code,
    kind,
    reached: true,
  });
  if (abort === "during") return answer("ERR_CALL_ABORTED");
  switch (what) {
    case "ok":
      return answer(undefined);
    case "throw":
    case "text":
      return answer("ERR_DRIVER_FAILED", "Internal");
    case "notFound":
      return answer("ERR_DRIVER_FAILED", "NotFound");
    case "forge":
      return answer("ERR_DRIVER_FAILED", "Timeout");
    case "ownCode":
      return answer("ERR_ENDPOINT_NOT_FOUND");
    case "badReply": {
      if (method === "endpointOperInfo") return answer("ERR_DRIVER_REPLY");
      const ends = undo === "ok" ? "; rolled back" : "; failed to roll back: scripted: done, and thrown";
      return { ...answer("ERR_DRIVER_REPLY"), ends };
    }
    case "late":
    case "lateThrow":
    case "lateNotFound":
    case "never":
    case "spin":
      return answer("ERR_DRIVER_TIMEOUT");
    case "crash":
    case "reject":
    case "doneCrash":
      return answer("ERR_OUTCOME_UNKNOWN");
    default:
      throw new Error(`the model does not know "${what}"`);
  }
}
