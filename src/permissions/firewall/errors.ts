/** The errors of `firewall`: refusals name a rule, failures carry nft's words. */
import { DriverError } from "../../driverapi/errors.js";
import type { PublishSpec } from "./rule.js";

type Port = Pick<PublishSpec, "protocol" | "hostPort">;

/** Returns `ERR_FIREWALL_REFUSED`. `why` includes the value. */
export function refused(plugin: string, op: string, rule: string, why: string): DriverError {
  return new DriverError("ERR_FIREWALL_REFUSED", `firewall.${op} is refused by rule "${rule}": ${why}`, { plugin });
}

/** Returns `ERR_FIREWALL_FAILED`. `words`: those of nft or the kernel. */
export function failed(plugin: string | undefined, op: string, words: string, cause?: unknown): DriverError {
  return new DriverError("ERR_FIREWALL_FAILED", `firewall.${op} failed: ${words}`, { plugin, cause });
}

/** Describes a port that a process of the host uses, at the address `host`. `by`: the process, if known. */
export function inUse({ protocol, hostPort }: Port, host: string, by = "a process of the host"): string {
  return `port ${hostPort}/${protocol} of ${host} is in use by ${by}; stop it, or publish another port`;
}

/** Describes a port that is published already. `by`: for what. */
export function allocated({ protocol, hostPort }: Port, by: string): string {
  return `port ${hostPort}/${protocol} is already allocated to ${by}; publish another port, or remove the container that has it`;
}

export function notOfHost(host: string): string {
  return `"${host}" is not an address of the host`;
}
