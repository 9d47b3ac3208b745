/** `bulkhead why A [B[:PORT]]`: why packets of an endpoint do not arrive. */
import { isIPv6 } from "node:net";
import type { ControlClient } from "../../control/client.js";
import type { Colour } from "../../control/table/columns.js";
import type { Endpoint, WhyCheck, WhyReply, WhyRequest } from "../../control/types.js";
import { DriverError } from "../../driverapi/errors.js";
import { EXIT } from "../output.js";
import { type Printer, safe } from "./output.js";

/** What the command is asked. */
export interface WhyOptions {
  /** An endpoint's id or its beginning, an address, or a container's name. */
  readonly from: string;
  /** The same, or an address outside; with a port: `B:80`, `[fd00::2]:80`. */
  readonly to: string | undefined;
  /** An engine's own socket, asked for container names. */
  readonly engine: string;
}

export async function why(client: ControlClient, printer: Printer, options: WhyOptions): Promise<void> {
  const { name: to, port } = splitPort(options.to);
  const asked: WhyRequest = {
    from: options.from,
    ...(to === undefined ? {} : { to }),
    ...(port === undefined ? {} : { port }),
  };
  const reply = await client.ask("why", { body: asked }).catch(async (error: unknown) => {
    if (!(error instanceof DriverError && error.code === "ERR_ENDPOINT_NOT_FOUND")) throw error;
    const named = await byContainer(client, asked, options.engine);
    if (named === undefined) throw error;
    return client.ask("why", { body: named });
  });
  printer.print([reply], whyText(printer, reply));
  if (reply.cause) printer.exit = EXIT.failed;
}

/** Splits `B:PORT`. Throws `ERR_USAGE` for a port that is not one. */
function splitPort(text: string | undefined): { readonly name: string | undefined; readonly port: number | undefined } {
  if (text === undefined || isIPv6(text)) return { name: text, port: undefined };
  const [, bracketed, plain, digits] = /^(?:\[([^\]]*)\]|([^:]*))(?::(.*))?$/.exec(text) ?? [];
  const name = bracketed ?? plain ?? "";
  const port = digits === undefined ? undefined : Number(digits);
  const isPort = port === undefined || (/^\d{1,5}$/.test(digits ?? "") && port >= 1 && port <= 65_535);
  if (name === "" || !isPort)
    throw new DriverError(
      "ERR_USAGE",
      `"${safe(text, 100)}" is not an endpoint, a container or an address, with a port or without`,
    );
  return { name, port };
}

/** Replaces containers' names by the ids of their endpoints, on one network if they share one; undefined if the engine knows none. */
async function byContainer(client: ControlClient, asked: WhyRequest, engine: string): Promise<WhyRequest | undefined> {
  const { readContainers } = await import("../../docker/engine-containers.js");
  const containers = await readContainers(engine);
  const { endpoints } = await client.ask("endpoints");
  const of = (name: string | undefined): readonly Endpoint[] =>
    endpoints.filter(({ id }) => containers.get(id)?.container === name);
  const [froms, tos] = [of(asked.from), of(asked.to)];
  if (froms.length + tos.length === 0) return undefined;
  const from = froms.find(({ network }) => tos.some((one) => one.network === network)) ?? froms[0];
  const to = tos.find(({ network }) => network === from?.network) ?? tos[0];
  return { ...asked, from: from?.id ?? asked.from, ...(to ? { to: to.id } : {}) };
}

const SIGNS: Readonly<Record<WhyCheck["holds"], readonly [string, Colour]>> = {
  yes: ["ok", "green"],
  no: ["no", "red"],
  skipped: ["--", "faint"],
};

function whyText(printer: Printer, { cause, checks }: WhyReply): string {
  const head = cause
    ? [
        `${printer.paint("red", `${cause.check}:`)} ${safe(cause.evidence)}`,
        ...(cause.of === undefined ? [] : [`  where  ${safe(cause.of)}`]),
        ...(cause.fix === null ? [] : [`  fix    ${safe(cause.fix)}`]),
      ]
    : [printer.paint("green", "every check holds: what fails is in the containers themselves, or beyond this machine")];
  const rows = checks.map(({ check, holds, evidence }) => {
    const [sign, colour] = SIGNS[holds];
    return `  ${printer.paint(colour, sign)}  ${check.padEnd(8)} ${safe(evidence)}`;
  });
  return [...head, "", ...rows].join("\n");
}
