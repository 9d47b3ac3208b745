/** The errors of `firewall`: refusals name a rule, failures carry nft's words. Ports are described as an engine's user knows them. */
import { DriverError } from "../../driverapi/errors.js";
import type { PublishSpec } from "./rule.js";

type Port = Pick<PublishSpec, "protocol" | "hostPort">;

/** `ERR_FIREWALL_REFUSED`: which call, by which rule, why. `why` holds the value. */
export function refused(plugin: string, op: string, rule: string, why: string): DriverError {
  return new DriverError("ERR_FIREWALL_REFUSED", `firewall.${op} is refused by rule "${rule}": ${why}`, { plugin });
}

/** `ERR_FIREWALL_FAILED`: what nft or the kernel said. */
export function failed(plugin: string | undefined, op: string, words: string, cause?: unknown): DriverError {
  return new DriverError("ERR_FIREWALL_FAILED", `firewall.${op} failed: ${words}`, { plugin, cause });
}

/** A port that the host itself uses. `host`: the address at which it is in use; `by`: the process, where it is known. */
export function inUse({ protocol, hostPort }: Port, host: string, by = "a process of the host"): string {
  return `port ${hostPort}/${protocol} of ${host} is in use by ${by}; stop it, or publish another port`;
}

/** A port that is published already. `by`: for what. */
export function allocated({ protocol, hostPort }: Port, by: string): string {
  return `port ${hostPort}/${protocol} is already allocated to ${by}; publish another port, or remove the container that has it`;
}

export function notOfHost(host: string): string {
  return `"${host}" is not an address of the host`;
}
