/**
 * The readers of a driver's replies. An input is a reply's value as JSON: each call that reads a value reads it, and it is also
 * taken for an error that a driver threw. Only `DriverError` may come of it, and a refused reply changes nothing of the platform's.
 */
import { EndpointConfig } from "#dist/driverapi/endpoint-config.js";
import { DriverError } from "#dist/driverapi/errors.js";
import { JoinConfig } from "#dist/driverapi/join-config.js";
import type { Json } from "#dist/driverapi/json.js";
import { CreateEndpoint } from "#dist/host/calls/create-endpoint.js";
import { badReply, driverThrew, isNotFound } from "#dist/host/calls/errors.js";
import { checkInterfaces, checkJoin } from "#dist/host/calls/host-rules.js";
import type { Operation, OperationScope } from "#dist/host/calls/operation.js";
import { endpointOperInfoOperation, joinOperation } from "#dist/host/calls/operations.js";
import { Records } from "#dist/host/calls/records.js";
import { ProtocolViolation } from "#dist/protocol/frame.js";
import { LIMITS } from "#dist/protocol/limits.js";
import { readUpMessage } from "#dist/protocol/read-up.js";
import { MemoryJournal } from "../../kit/memory-journal.js";
import { recorded, repliesOf } from "../corpus.js";
import { replyText } from "../generators/replies.js";
import { must, type Outcome, type Target } from "../target.js";

const SITE = { plugin: "x", driver: "x", method: "join" };
const GIVEN = [{ id: 0, mac: "", ipv4: "10.77.0.9/16", ipv6: "" }];
const HOST = {
  refresh: () => undefined,
  addresses: () => new Set(["10.77.0.254", "fd77::fe"]),
  links: () => new Set(["lo", "eth0"]),
};

/** A driver's scope: of one with netlink, whose subnets bound it, and of one without. */
function scope(subnets: readonly string[] | undefined): OperationScope {
  return {
    type: "x",
    records: new Records("x", new MemoryJournal()),
    replay: true,
    draining: () => undefined,
    refreshHost: () => undefined,
    checkInterfaces: (interfaces) => checkInterfaces(interfaces, HOST, subnets),
    checkJoin: (data) => checkJoin(data, HOST, (link) => link === "eth0" && subnets !== undefined),
  };
}

const SCOPES = [scope(undefined), scope(["10.77.0.0/16", "fd77::/64"])];

function run(input: unknown): Outcome {
  let value: Json;
  try {
    const message = readUpMessage({ kind: "reply", message: { id: 1, type: "RAW", value: JSON.parse(String(input)) } });
    value = message.kind === "reply" && message.message.type === "RAW" ? (message.message.value ?? null) : null;
  } catch (error) {
    if (error instanceof ProtocolViolation || error instanceof SyntaxError) return { reach: "unread" };
    throw error;
  }
  asThrown(value);
  let accepted = false;
  for (const one of SCOPES) {
    for (const given of [[], GIVEN]) {
      const endpoint = new EndpointConfig(given);
      accepted = reads(new CreateEndpoint(one, "n", "e", endpoint, given, "{}"), value, endpoint) || accepted;
    }
    for (const ids of [[], [0, 1]]) {
      const join = new JoinConfig();
      accepted = reads(joinOperation(one, "n", "e", "box", join, ids, "{}"), value, join) || accepted;
    }
    accepted = reads(endpointOperInfoOperation(one, "n", "e"), value, undefined) || accepted;
  }
  return { reach: accepted ? "accepted" : "refused" };
}

/** True when the operation takes the reply. `filled` is what it fills in. */
function reads(op: Operation<unknown>, value: Json, filled: { toJSON(): unknown } | undefined): boolean {
  const before = JSON.stringify(filled);
  try {
    op.read(value);
  } catch (error) {
    if (!(error instanceof DriverError)) throw error;
    must(JSON.stringify(filled) === before, `a reply was refused (${error.message}) and yet applied`);
    const told = badReply(error, "; rolled back", SITE);
    must(
      told.code === "ERR_DRIVER_REPLY" && told.message.length < 2048,
      `a message of ${told.message.length} characters`,
    );
    return false;
  }
  const after = JSON.stringify(filled);
  // What was taken is canonical: read once more, it says the same.
  if (filled instanceof EndpointConfig && after !== before)
    must(JSON.stringify(new EndpointConfig(filled.toJSON())) === after, `${after} is not canonical`);
  return true;
}

function asThrown(value: Json): void {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return;
  const read = readUpMessage({ kind: "reply", message: { id: 1, type: "HANDLER", name: "throw", value } });
  must(read.kind === "reply" && read.message.type === "HANDLER", "a thrown error was read as another message");
  isNotFound(read.message.value);
  const error = driverThrew(read.message.value, SITE);
  must(error.message.length <= LIMITS.messageChars, `a message of ${error.message.length} characters`);
  must(error.plugin === "x" && JSON.stringify(error).length > 0, "an error without its plugin");
}

export const replies: Target = {
  name: "reply validators",
  corpus: repliesOf(recorded()),
  most: LIMITS.frameChars,
  files: [
    { file: "driverapi/data.js" },
    { file: "driverapi/interfaces.js", functions: ["parseInterfaceId", "parseInterface", "refuseTaken"] },
    { file: "driverapi/joins.js" },
    { file: "driverapi/addresses.js" },
    { file: "driverapi/names.js", functions: ["parseInterfaceName", "parseInterfacePrefix", "interfaceName"] },
    { file: "host/calls/operations.js", functions: ["read"] },
    { file: "host/calls/create-endpoint.js", functions: ["read"] },
    { file: "host/calls/host-rules.js", functions: ["checkInterfaces", "refusedRange", "checkJoin"] },
    { file: "host/calls/platform-objects.js", functions: ["applyInterfaces", "applyJoin"] },
    { file: "host/calls/errors.js", functions: ["driverThrew", "isNotFound", "badReply"] },
  ],
  generated: replyText,
  run,
};
