/** `bulkhead restart`, `stop`, `start`, `reload`, `quarantine` and `call`: changes to a running host. */

import { messageOf } from "../../common/text.js";
import type { ControlClient } from "../../control/client.js";
import type { OperationName } from "../../control/operations.js";
import { stateColour } from "../../control/table/plugins.js";
import { DriverError } from "../../driverapi/errors.js";
import type { Json } from "../../driverapi/json.js";
import { type Printer, safe, safeJson } from "./output.js";

/** Operations on one plugin. */
export type ActionName = Extract<OperationName, "restart" | "stop" | "start" | "reload" | "quarantine">;

export async function act(client: ControlClient, printer: Printer, action: ActionName, id: string): Promise<void> {
  const plugin = await client.ask(action, { id });
  printer.print([plugin], `${safe(plugin.id)}: ${printer.paint(stateColour(plugin.state), plugin.state)}`);
}

/** Calls a driver. An argument that begins with `{`, `[` or `"` is JSON; any other is text. */
export async function call(
  client: ControlClient,
  printer: Printer,
  { type, method, args }: { readonly type: string; readonly method: string; readonly args: readonly string[] },
): Promise<void> {
  const { result } = await client.ask("call", { body: { type, method, args: args.map(argument) } });
  printer.print([{ result }], result === null ? "done" : safeJson(result, 2));
}

function argument(text: string, at: number): Json {
  if (!/^\s*[{["]/.test(text)) return text;
  try {
    return JSON.parse(text) as Json;
  } catch (error) {
    throw new DriverError("ERR_USAGE", `argument ${at + 1} is not JSON: ${messageOf(error)}`);
  }
}
