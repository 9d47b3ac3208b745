/**
 * What the kernel remembers of flows, forgotten where a rule changed: a UDP sender that goes on sending renews its old entry for as
 * long, and never meets the new rule. conntrack(8).
 */
import { isIPv6 } from "node:net";
import { familyOfRule, type Protocol, type PublishSpec } from "../rule.js";
import type { Tools } from "./tools.js";

/** Deletes the entries of published UDP ports, and those of any protocol that lead to addresses. Gives what went wrong, if anything did. */
export async function forgetFlows(
  tools: Tools,
  ports: readonly PublishSpec[],
  addresses: readonly string[],
): Promise<string | undefined> {
  const wanted = [
    ...ports.filter(({ protocol }) => protocol === UDP).map(ofPort),
    ...addresses.map((ip) => [...family(isIPv6(ip)), "--reply-src", ip]),
  ];
  const selections = [...new Map(wanted.map((args) => [args.join(" "), args])).values()];
  if (selections.length === 0) return undefined;
  if (!tools.has("conntrack")) return 'there is no program "conntrack" (Debian: apt install conntrack)';
  for (const args of selections) {
    const { code, stderr } = await tools.try("forgetFlows", "conntrack", ["-D", ...args]);
    // It exits with 1 where there was nothing to delete, too.
    if (code !== 0 && !/ 0 flow entries have been deleted/.test(stderr)) return stderr.trim().split("\n")[0] ?? "";
  }
  return undefined;
}

const UDP: Protocol = "udp";

function ofPort(port: PublishSpec): readonly string[] {
  const at = port.hostIP === undefined ? [] : ["--orig-dst", port.hostIP];
  return [
    ...family(familyOfRule({ kind: "publish", ...port }) === 6),
    "-p",
    UDP,
    "--orig-port-dst",
    `${port.hostPort}`,
    ...at,
  ];
}

function family(six: boolean): readonly string[] {
  return ["-f", six ? "ipv6" : "ipv4"];
}
