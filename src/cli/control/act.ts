/** `bulkhead restart`, `stop`, `start`, `reload` and `quarantine`: changes to a running host. */

import type { ControlClient } from "../../control/client.js";
import type { OperationName } from "../../control/operations.js";
import { stateColour } from "../../control/table/plugins.js";
import { type Printer, safe } from "./output.js";

/** Operations on one plugin. */
export type ActionName = Extract<OperationName, "restart" | "stop" | "start" | "reload" | "quarantine">;

export async function act(client: ControlClient, printer: Printer, action: ActionName, id: string): Promise<void> {
  const plugin = await client.ask(action, { id });
  printer.print([plugin], `${safe(plugin.id)}: ${printer.paint(stateColour(plugin.state), plugin.state)}`);
}
