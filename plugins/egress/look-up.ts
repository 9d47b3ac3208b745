/** Asks the granted name servers for a name's addresses, one server after another, and judges what they reply. */
import type { ResolverPower } from "bulkhead/plugin";
import type { Found } from "./cache.ts";
import { EGRESS } from "./limits.ts";
import { type AddressType, RCODE, type Record, type Reply, readReply, writeQuestion } from "./message.ts";

export interface LookUp {
  readonly resolver: ResolverPower;
  /** In milliseconds. */
  now(): number;
}

/** Looks a name up. Never rejects: without a usable reply, the code is "failed". */
export async function lookUp({ resolver, now }: LookUp, name: string, type: AddressType): Promise<Found> {
  const question = writeQuestion(name, type);
  for (const server of resolver.upstreams) {
    try {
      let reply = readReply(await resolver.ask(server, question), name, type);
      if (reply?.truncated) reply = readReply(await resolver.ask(server, question, { tcp: true }), name, type);
      if (!reply || reply.truncated || (reply.rcode !== RCODE.ok && reply.rcode !== RCODE.absent)) continue;
      return foundIn(reply, name, type, now());
    } catch {
      // The next one may reply.
    }
  }
  return { rcode: RCODE.failed, records: [], until: now() + EGRESS.failedMs };
}

/** Follows the aliases from a name to its addresses; records that are not on this way are left out. */
function foundIn({ rcode, records }: Reply, name: string, type: AddressType, now: number): Found {
  const way: Record[] = [];
  let at = name;
  for (let alias = 0; alias <= EGRESS.aliases; alias++) {
    const addresses = records.filter((one) => one.name === at && one.type === type).slice(0, EGRESS.addresses);
    if (addresses.length > 0) {
      const all = [...way, ...addresses];
      const ttl = Math.min(EGRESS.ttlSeconds, ...all.map((one) => one.ttl));
      return { rcode: RCODE.ok, records: all.map((one) => ({ ...one, ttl })), until: now + ttl * 1000 };
    }
    const next = records.find((one) => one.name === at && one.type === "CNAME");
    if (!next || way.some((one) => one.name === next.data) || next.data === name) break;
    way.push(next);
    at = next.data;
  }
  const absent = rcode === RCODE.absent ? RCODE.absent : RCODE.ok;
  return { rcode: absent, records: [], until: now + EGRESS.absentSeconds * 1000 };
}
