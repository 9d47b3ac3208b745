/**
 * Deletes the kernel's connection-tracking entries for changed rules: a UDP sender that keeps sending renews its old entry, and would
 * never reach the new rule. conntrack(8).
 */
import { isIPv6 } from "node:net";
import { familyOfRule, type Protocol, type PublishSpec } from "../rule.js";
import type { Tools } from "./tools.js";

/** Deletes the entries of published UDP ports, and those of any protocol to `addresses`. Returns what failed, if anything did. */
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
  if (!tools.has("conntrack")) return 'the program "conntrack" is not installed (Debian: apt install conntrack)';
  for (const args of selections) {
    const { code, stderr } = await tools.try("forgetFlows", "conntrack", ["-D", ...args]);
    // It also exits with 1 if there was nothing to delete.
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
