/** Reads what a plugin gives to `registerDriver`: the name, the driver's methods and the capability, each once. */
import { quote } from "../common/quote.js";
import { DRIVER_METHODS, GlobalScope, LocalScope, OPTIONAL_DRIVER_METHODS } from "../driverapi/constants.js";
import { DriverError } from "../driverapi/errors.js";
import { parseTypeName } from "../driverapi/names.js";
import { hasOptionalMethods, OPTIONAL_METHODS_RULE } from "../driverapi/optional-methods.js";
import type { Scope } from "../driverapi/types.js";
import { rebuildError, refusal } from "./errors.js";

type Method = (...args: unknown[]) => unknown;

/** A driver, with its methods read once, at registration: later changes behind a getter or proxy have no effect. */
export interface TakenDriver {
  readonly self: object;
  readonly methods: ReadonlyMap<string, Method>;
}

/** Returns the network type. Throws `ERR_TYPE_NAME`. */
export function checkedName(name: unknown): string {
  if (typeof name !== "string")
    throw refusal("ERR_TYPE_NAME", `registerDriver: the network type must be a string, got ${typeof name}`);
  try {
    return parseTypeName(name);
  } catch (error) {
    if (error instanceof DriverError) throw rebuildError(error);
    throw error;
  }
}

/** Reads the nine methods and the optional ones once, and calls `type()` once. */
export async function takeDriver(name: string, driver: unknown): Promise<TakenDriver> {
  if (typeof driver !== "object" || driver === null) {
    const hint = typeof driver === "function" ? "; of a class, register an instance: new …()" : "";
    throw refusal("ERR_DRIVER_SHAPE", `registerDriver("${name}"): the driver must be an object${hint}`);
  }
  const methods = new Map<string, Method>();
  for (const method of DRIVER_METHODS) {
    const body = (driver as Record<string, unknown>)[method];
    if (typeof body !== "function")
      throw refusal(
        "ERR_DRIVER_SHAPE",
        `registerDriver("${name}"): the driver has no method ${method}(); all nine of libnetwork's Driver are required`,
      );
    methods.set(method, body as Method);
  }
  for (const method of OPTIONAL_DRIVER_METHODS) {
    const body = (driver as Record<string, unknown>)[method];
    if (body === undefined) continue;
    if (typeof body !== "function")
      throw refusal("ERR_DRIVER_SHAPE", `registerDriver("${name}"): the driver's ${method} is not a method`);
    methods.set(method, body as Method);
  }
  const optional = OPTIONAL_DRIVER_METHODS.filter((method) => methods.has(method));
  if (hasOptionalMethods(optional) === undefined)
    throw refusal(
      "ERR_DRIVER_SHAPE",
      `registerDriver("${name}"): the driver has ${optional.join(", ")} alone; ${OPTIONAL_METHODS_RULE}`,
    );
  const type: unknown = await Reflect.apply(methods.get("type") as Method, driver, []);
  if (type !== name)
    throw refusal(
      "ERR_DRIVER_SHAPE",
      `registerDriver("${name}"): type() gives ${typeof type === "string" ? JSON.stringify(type.slice(0, 64)) : `a ${typeof type}`}; it must give the registered name`,
    );
  return { self: driver, methods };
}

/** Returns the scope that a capability names. Throws `ERR_BAD_CAPABILITY`. */
export function readScope(name: string, capability: unknown): Scope {
  const call = `registerDriver("${name}")`;
  if (typeof capability !== "object" || capability === null) {
    const got = capability === undefined ? "and is missing" : `not ${quote(capability)}`;
    const rule = `its third argument is the capability, { scope: "${LocalScope}" } or { scope: "${GlobalScope}" }`;
    throw refusal("ERR_BAD_CAPABILITY", `${call}: ${rule}, ${got}`);
  }
  const { scope } = capability as { readonly scope?: unknown };
  if (scope === LocalScope || scope === GlobalScope) return scope;
  const got = scope === undefined ? "and is missing" : `not ${quote(scope)}`;
  throw refusal("ERR_BAD_CAPABILITY", `${call}: the capability's scope is "${LocalScope}" or "${GlobalScope}", ${got}`);
}
