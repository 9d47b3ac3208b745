/** libnetwork's kinds of error: an Error with `kind` reaches the platform as one of these. */

export function badRequest(message: string): never {
  throw Object.assign(new Error(message), { kind: "BadRequest" });
}

export function notFound(message: string): never {
  throw Object.assign(new Error(message), { kind: "NotFound" });
}

export function forbidden(message: string): never {
  throw Object.assign(new Error(message), { kind: "Forbidden" });
}
