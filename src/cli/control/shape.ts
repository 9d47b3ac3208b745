/** `bulkhead shape`: changes how an endpoint's link is shaped. */
import type { ControlClient } from "../../control/client.js";
import type { ShapeRequest } from "../../control/types.js";
import { DriverError } from "../../driverapi/errors.js";
import { endpointNamed } from "./inspect.js";
import { type Printer, safe } from "./output.js";

const AMOUNTS = ["rate", "burst", "delay", "jitter", "loss"] as const satisfies readonly (keyof ShapeRequest)[];

export async function shape(
  client: ControlClient,
  printer: Printer,
  name: string,
  flags: Readonly<Record<string, unknown>>,
): Promise<void> {
  const amounts = AMOUNTS.flatMap((field) => {
    const given = flags[field];
    return typeof given === "string" ? [[field, given === "none" ? null : given] as const] : [];
  });
  if ((flags.reset === true) === amounts.length > 0)
    throw new DriverError("ERR_USAGE", `give ${AMOUNTS.map((field) => `--${field}`).join(", ")}, or --reset by itself`);
  const body: ShapeRequest = flags.reset === true ? { reset: true } : Object.fromEntries(amounts);
  const reply = await client.ask("shape", { id: await endpointNamed(client, name), body });
  const words = Object.entries(reply.shape).map(([field, amount]) => `${field} ${amount}`);
  printer.print([reply], `${safe(reply.endpoint)}: ${safe(words.join(", ") || "not shaped")}`);
}
