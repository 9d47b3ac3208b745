/** Expressions of nftables' JSON that several chains use. */
import type { Json } from "../../../driverapi/json.js";

export const STATUS: Json = { ct: { key: "status" } };
const STATE: Json = { ct: { key: "state" } };

/** Matches packets of connections that are open, and what belongs to them. */
export const OPEN: Json = { match: { op: "in", left: STATE, right: ["established", "related"] } };

/** Matches a destination that is an address of the host. */
export const LOCAL: Json = equal({ fib: { result: "type", flags: ["daddr"] } }, "local");

/** Matches destinations other than the host's loopback, which nothing may leave. */
export function notLoopback(six: boolean): Json {
  return { match: { op: "!=", left: field(six ? "ip6" : "ip", "daddr"), right: loopbackOf(six) } };
}

/** The host's loopback addresses of a family. */
export function loopbackOf(six: boolean): Json {
  return six ? "::1" : { prefix: { addr: "127.0.0.0", len: 8 } };
}

export function source(subnet: string): Json {
  return network("saddr", "==", subnet);
}

/** Matches sources or destinations inside a network, or outside it. */
export function network(end: "saddr" | "daddr", op: "==" | "!=", text: string): Json {
  const [addr = "", len = ""] = text.split("/");
  const left = field(text.includes(":") ? "ip6" : "ip", end);
  return { match: { op, left, right: { prefix: { addr, len: Number(len) } } } };
}

export function from(op: "==" | "!=", link: string): Json {
  return { match: { op, left: { meta: { key: "iifname" } }, right: link } };
}

export function to(op: "==" | "!=", link: string): Json {
  return { match: { op, left: { meta: { key: "oifname" } }, right: link } };
}

/** Matches packets that came in by one of these links. */
export function fromAny(op: "==" | "!=", links: readonly string[]): Json {
  return { match: { op, left: { meta: { key: "iifname" } }, right: { set: [...links] } } };
}

/** Matches packets that leave by one of these links. */
export function toAny(links: readonly string[]): Json {
  return { match: { op: "==", left: { meta: { key: "oifname" } }, right: { set: [...links] } } };
}

export function equal(left: Json, right: Json): Json {
  return { match: { op: "==", left, right } };
}

export function field(protocol: string, name: string): Json {
  return { payload: { protocol, field: name } };
}
