/**
 * The journal's work as the bench asks for it: each of N callers records an endpoint and waits until that is on the disk, again and
 * again; what is on the disk is told to all who waited for it.
 */
import { loadRequest } from "#dist/load/request.js";

/** A way of keeping a journal. */
export interface Keeper {
  /** Resolves when the row is on the disk. */
  put(n: number): Promise<void>;
  close(): Promise<void> | void;
}

/** The row that is written: what `createEndpoint` records. */
export function rowOf(n: number): { readonly key: string; readonly body: string } {
  const { nid, eid, options } = loadRequest(n);
  const interfaces = [{ id: 0, mac: "02:42:0a:01:00:02", ipv4: "10.1.0.2/16", ipv6: "" }];
  return {
    key: `4:load64:${nid}64:${eid}e`,
    body: JSON.stringify(["load", nid, eid, false, { phase: "live", interfaces, options }]),
  };
}

/** Microseconds a row takes with so many callers. Each has `rounds` rows of its own, written in turn after an eighth as many. */
export async function perRow(keeper: Keeper, callers: number, rounds: number): Promise<number> {
  const work = async (times: number): Promise<void> => {
    const caller = async (one: number): Promise<void> => {
      for (let n = 0; n < times; n++) await keeper.put(one * rounds + n);
    };
    await Promise.all(Array.from({ length: callers }, (_, one) => caller(one)));
  };
  await work(Math.ceil(rounds / 8));
  const began = performance.now();
  await work(rounds);
  return ((performance.now() - began) * 1000) / (callers * rounds);
}
