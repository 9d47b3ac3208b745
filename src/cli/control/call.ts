/** `bulkhead call TYPE METHOD [ARGS]`: calls a driver of a running host. */
import { nearest } from "../../common/nearest.js";
import { quote } from "../../common/quote.js";
import { messageOf } from "../../common/text.js";
import { CALL_ARGUMENTS, CALL_METHODS, type CallMethod } from "../../control/call-arguments.js";
import type { ControlClient } from "../../control/client.js";
import { DriverError } from "../../driverapi/errors.js";
import type { Json } from "../../driverapi/json.js";
import { type Printer, safeJson } from "./output.js";

export interface CallOptions {
  readonly type: string;
  readonly method: string;
  /** As the user wrote them. */
  readonly args: readonly string[];
}

/** The argument that may be left out. */
const OPTIONS = "options";

/** Calls a driver. An argument that begins with `{`, `[` or `"` is JSON; any other is text. Rejects with `ERR_USAGE`, and as the call does. */
export async function call(
  client: ControlClient,
  printer: Printer,
  { type, method, args }: CallOptions,
): Promise<void> {
  if (!Object.hasOwn(CALL_ARGUMENTS, method)) throw wrongUse(unknownMethod(method));
  const { result } = await client.ask("call", { body: { type, method, args: readArguments(type, method, args) } });
  printer.print([{ result }], result === null ? "done" : safeJson(result, 2));
}

function unknownMethod(method: string): string {
  const near = nearest(method, CALL_METHODS);
  const hint = near === undefined ? "" : `did you mean ${near}? `;
  return `${quote(method)} is not a method of drivers; ${hint}the methods are ${CALL_METHODS.join(", ")}`;
}

/** Returns the arguments, read and checked as the host does, so that mistakes are told in the words of the command line. */
function readArguments(type: string, method: string, given: readonly string[]): readonly Json[] {
  const names = CALL_ARGUMENTS[method as CallMethod];
  const usage = `write: bulkhead call ${type} ${method} ${names.map(placeholder).join(" ")}`;
  if (given.length > names.length)
    throw wrongUse(`${method} takes ${names.length} arguments at most, and ${given.length} are given; ${usage}`);
  const missing = names.slice(given.length).filter((name) => name !== OPTIONS);
  if (missing.length > 0) throw wrongUse(`${method} needs ${missing.map(placeholder).join(" and ")}; ${usage}`);
  return given.map((text, at) => {
    const value = readArgument(text, at);
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    if (names[at] === OPTIONS && !isObject)
      throw wrongUse(
        `argument ${at + 1} is ${quote(text)}; options are a JSON object, such as '{"mtu": 1400}'; ${usage}`,
      );
    if (names[at] !== OPTIONS && typeof value !== "string")
      throw wrongUse(`argument ${at + 1} is ${quote(text)}; ${names[at]} is a text; ${usage}`);
    return value;
  });
}

function readArgument(text: string, at: number): Json {
  if (!/^\s*[{["]/.test(text)) return text;
  try {
    return JSON.parse(text) as Json;
  } catch (error) {
    throw wrongUse(`argument ${at + 1} is not JSON: ${messageOf(error)}`);
  }
}

function placeholder(name: string): string {
  return name === OPTIONS ? "[OPTIONS]" : name.toUpperCase();
}

function wrongUse(message: string): DriverError {
  return new DriverError("ERR_USAGE", message);
}
