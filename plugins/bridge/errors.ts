/** libnetwork's errors: the contract's codes where there is one, and its kinds for the rest. */

/** An id that is not known, or is in use: the codes a driver may give itself. */
type Code =
  | "ERR_NETWORK_NOT_FOUND"
  | "ERR_ENDPOINT_NOT_FOUND"
  | "ERR_NETWORK_EXISTS"
  | "ERR_ENDPOINT_EXISTS"
  | "ERR_NETWORK_IN_USE";

export function fail(code: Code, message: string): never {
  throw Object.assign(new Error(message), { code });
}

/** What was asked for cannot be meant so. */
export function badRequest(message: string): never {
  throw Object.assign(new Error(message), { kind: "BadRequest" });
}

/** What was asked for is taken. */
export function forbidden(message: string): never {
  throw Object.assign(new Error(message), { kind: "Forbidden" });
}

/** A value in a message: as JSON, shortened. */
export function quote(value: unknown): string {
  const text = JSON.stringify(value) ?? typeof value;
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

/** True for a failure of `netlink` that holds these words of the kernel's. */
export function kernelSays(error: unknown, words: "File exists" | "Cannot find device"): boolean {
  if (!(error instanceof Error) || !("code" in error)) return false;
  return error.code === "ERR_NETLINK_FAILED" && error.message.includes(words);
}
