/** `POST /v1/call`: calls a driver's method with an operator's arguments. */
import { EndpointConfig } from "../driverapi/endpoint-config.js";
import { JoinConfig } from "../driverapi/join-config.js";
import type { Json, JsonObject } from "../driverapi/json.js";
import type { HostedDriver } from "../driverapi/types.js";
import { CALL_ARGUMENTS, type CallMethod } from "./call-arguments.js";
import { RequestError } from "./request-error.js";
import type { CallRequest } from "./types.js";

/**
 * Resolves with what the driver recorded or returned: interfaces for `createEndpoint`, names, gateways and routes for `join`; null for
 * methods without a result. Rejects with `RequestError`, and as the method does.
 */
export async function callDriver(driver: HostedDriver, { method, args = [] }: CallRequest): Promise<unknown> {
  const [a, b, c, options] = argumentsOf(method as CallMethod, args);
  switch (method as CallMethod) {
    case "createEndpoint": {
      const info = new EndpointConfig();
      await driver.createEndpoint(a, b, info, options);
      return { interfaces: info.toJSON() };
    }
    case "join": {
      const info = new JoinConfig(new EndpointConfig());
      await driver.join(a, b, c, info, options);
      return info.toJSON();
    }
    case "endpointOperInfo":
      return driver.endpointOperInfo(a, b);
    case "config":
      return nothing(driver.config(options));
    case "createNetwork":
      return nothing(driver.createNetwork(a, options));
    case "deleteNetwork":
      return nothing(driver.deleteNetwork(a));
    case "deleteEndpoint":
      return nothing(driver.deleteEndpoint(a, b));
    case "leave":
      return nothing(driver.leave(a, b));
    case "programExternalConnectivity":
      return nothing(driver.programExternalConnectivity(a, b, options));
    case "revokeExternalConnectivity":
      return nothing(driver.revokeExternalConnectivity(a, b));
  }
}

/** Returns the ids, "" where the method has none, and the options. */
function argumentsOf(method: CallMethod, args: readonly Json[]): readonly [string, string, string, JsonObject] {
  const names = CALL_ARGUMENTS[method];
  const takes = `${method} takes ${names.join(", ")}`;
  if (args.length > names.length) throw new RequestError(`body.args: ${takes}`, `body.args.${names.length}`);
  const ids = names.filter((name) => name !== "options");
  const [a = "", b = "", c = ""] = ids.map((name, at) => {
    const id = args[at];
    if (typeof id === "string") return id;
    throw new RequestError(`body.args.${at}: ${name} is a string; ${takes}`, `body.args.${at}`);
  });
  const options = args[ids.length] ?? {};
  if (typeof options !== "object" || Array.isArray(options))
    throw new RequestError(`body.args.${ids.length}: options is an object; ${takes}`, `body.args.${ids.length}`);
  return [a, b, c, options as JsonObject];
}

async function nothing(done: Promise<void>): Promise<null> {
  await done;
  return null;
}
