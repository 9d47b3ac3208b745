/** src/host/calls/README.md: every call has its row, with the call that undoes it or its repetition. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { DRIVER_METHODS, EndpointConfig, JoinConfig, OPTIONAL_DRIVER_METHODS } from "#dist/driverapi/index.js";
import { CreateEndpoint } from "#dist/host/calls/create-endpoint.js";
import { programOperation, revokeOperation } from "#dist/host/calls/external-operations.js";
import type { Operation, OperationScope } from "#dist/host/calls/operation.js";
import * as operations from "#dist/host/calls/operations.js";
import { assert, suite } from "../harness.js";
import { REPO } from "../kit/host.js";
import { firstCells } from "./pages.js";

const test = suite("documentation: src/host/calls/README.md");
const page = readFileSync(join(REPO, "src/host/calls/README.md"), "utf8");
const scope = { type: "t", replay: true } as unknown as OperationScope;

/** One of each; none of them is performed. */
const ALL: readonly Operation<unknown>[] = [
  operations.configOperation("{}"),
  operations.createNetworkOperation(scope, "n", "{}"),
  operations.deleteNetworkOperation(scope, "n"),
  new CreateEndpoint(scope, "n", "e", new EndpointConfig(), [], "{}"),
  operations.deleteEndpointOperation(scope, "n", "e"),
  operations.endpointOperInfoOperation(scope, "n", "e"),
  operations.joinOperation(scope, "n", "e", "s", new JoinConfig(), [], "{}"),
  operations.leaveOperation(scope, "n", "e"),
  programOperation(scope, "n", "e", "{}"),
  revokeOperation(scope, "n", "e"),
];

test("a row for every method but type()", () => {
  const methods = [...DRIVER_METHODS, ...OPTIONAL_DRIVER_METHODS].filter((name) => name !== "type");
  const rows = firstCells(page, "| method | refused | if the outcome is unknown |");
  assert.equal([...rows].sort(), methods.sort());
  assert.equal(
    [...rows],
    ALL.map(({ method }) => method),
  );
});

test("each row says how a call of unknown outcome is settled", () => {
  for (const { method, inverse, repeats } of ALL) {
    const cell = new RegExp(`^\\| \`${method}\` \\|.*\\| (.*) \\|$`, "m").exec(page)?.[1];
    const settled = method === "config" ? "forgotten" : "nothing to do";
    assert.is(cell, inverse ? `\`${inverse}\` undoes it` : repeats ? "repeated until answered" : settled, method);
  }
});

test.run();
