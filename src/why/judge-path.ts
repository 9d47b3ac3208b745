/** Judges the way between two ends: same network or not, internal, published, forwarded, and by which rules refused. */
import type { Finding } from "../doctor/network/judge.js";
import {
  judgeAccept,
  judgeBridged,
  judgeEngineTables,
  judgeFirewalld,
  judgeForwarding,
  judgeOtherChains,
} from "../doctor/network/judge.js";
import { canonicalIP } from "./address.js";
import type { End, Target, WhyFacts } from "./facts.js";
import { bridgeOf } from "./judge-end.js";
import { no, skipped, type Verdict, yes } from "./verdict.js";

/** The checks of the way from `from` to `to`, in the order in which a packet meets them. */
export function judgePath(facts: WhyFacts, to: Target): readonly Verdict[] {
  const { from } = facts;
  const of = `from endpoint ${from.endpoint.id} to ${to.end ? `endpoint ${to.end.endpoint.id}` : to.addresses.join(", ")}`;
  return steps(facts, to).map((one) => ({ ...one, of }));
}

function steps(facts: WhyFacts, to: Target): readonly Verdict[] {
  const { from } = facts;
  const { end } = to;
  if (end && end.network.id === from.network.id && end.network.type === from.network.type) {
    const together = yes("network", `both are on network ${from.network.id}: packets pass its links alone`);
    return facts.kernel ? [together, ofMachine("forward", judgeBridged(facts.machine))] : [together];
  }
  const closed = [from, ...(end ? [end] : [])].find((one) => isInternal(facts, one));
  if (closed)
    return [
      no(
        "internal",
        `network ${closed.network.id} is internal: nothing enters or leaves it`,
        "connect both to one network, or make the network again without --internal",
      ),
    ];
  const internal = yes("internal", "no network on the way is internal");
  if (end === undefined) return [internal, ...forwarded(facts, to)];
  if (to.port === undefined) return [internal, otherNetwork(from, end)];
  const found = facts.published.find(
    (one) => one.port === to.port && addressesOf(end).includes(canonicalIP(one.ip) ?? ""),
  );
  if (!found)
    return [
      internal,
      no(
        "port",
        `${otherNetwork(from, end).evidence}; and port ${to.port} of endpoint ${end.endpoint.id} is not published`,
        `publish it (docker run --publish ${to.port}), or connect both to one network`,
      ),
    ];
  const at = `${found.hostIP ?? "all addresses of the host"}, port ${found.hostPort} (${found.protocol})`;
  return [
    internal,
    yes("port", `port ${to.port} of endpoint ${end.endpoint.id} is published at ${at}`),
    ...forwarded(facts, to),
  ];
}

function otherNetwork(from: End, to: End): Verdict {
  const words = `endpoint ${from.endpoint.id} is on network ${from.network.id}, endpoint ${to.endpoint.id} on network ${to.network.id}, and networks are kept apart`;
  return no("network", words, "connect both to one network, or publish a port");
}

/** Packets that leave a network pass the machine's firewalls, and are forwarded only if the kernel's switch is on. */
function forwarded({ kernel, machine, from }: WhyFacts, to: Target): readonly Verdict[] {
  if (!kernel) return [skipped("forward", "the host works on a model, which moves no packets")];
  const own = to.addresses.length > 0 ? to.addresses : addressesOf(from);
  const family = own.every((one) => one.includes(":")) ? 6 : 4;
  const checks = [
    judgeForwarding(machine, family),
    judgeAccept(machine, family),
    judgeFirewalld(machine),
    judgeEngineTables(machine),
    judgeOtherChains(machine),
  ];
  const bad = checks.find(({ holds }) => holds === "no");
  if (bad) return [ofMachine("forward", bad)];
  return [yes("forward", checks.map(({ evidence }) => evidence).join("; "))];
}

function ofMachine(check: string, finding: Finding): Verdict {
  return { check, holds: finding.holds, evidence: finding.evidence, fix: finding.holds === "no" ? finding.fix : null };
}

/** Read from the rules that the firewall holds for its bridge, or from the network's recorded options. */
function isInternal(facts: WhyFacts, end: End): boolean {
  const bridge = facts.kernel ? bridgeOf(facts, end) : undefined;
  return end.network.options[INTERNAL] === true || (bridge !== undefined && facts.internal.has(bridge));
}

const INTERNAL = "com.docker.network.internal";

export function addressesOf({ endpoint }: End): readonly string[] {
  return endpoint.interfaces.flatMap(({ ipv4, ipv6 }) => [ipv4, ipv6].flatMap((one) => canonicalIP(one) ?? []));
}
