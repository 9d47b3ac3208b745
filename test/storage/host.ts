/**
 * A host over a data folder, with calls that hang when it is killed: one of every method that the journal knows. Prints "ready" when
 * the driver has been asked all of them.
 */
import { writeSync } from "node:fs";
import { OPTIONAL_DRIVER_METHODS } from "#dist/driverapi/constants.js";
import { createPluginHost, EndpointConfig, JoinConfig, type Logger } from "#dist/index.js";

const [plugins = "", dataDir = ""] = process.argv.slice(2);
const [PROGRAM, REVOKE] = OPTIONAL_DRIVER_METHODS;
let hanging = 0;
const line = (_: object, text = ""): void => {
  if (text.includes("@hangs") && ++hanging === 8) writeSync(1, "ready\n");
};
const logger: Logger = { debug: line, info: line, warn: line, error: line };
const policy = { plugins: { a: { options: { a: { hang: true } }, timeouts: { default: 60_000 } } } };
const host = await createPluginHost({ plugins, dataDir, isolation: "thread", logger, policy });
const driver = host.driver("a");

await driver.createNetwork("n", { "com.docker.network.generic": { mtu: "1400" } });
await driver.createNetwork("hang-deleteNetwork");
for (const eid of ["e", "hang-join", "hang-leave", "hang-deleteEndpoint", `hang-${PROGRAM}`, `hang-${REVOKE}`]) {
  await driver.createEndpoint("n", eid, new EndpointConfig());
  if (eid === "e" || eid === "hang-leave") await driver.join("n", eid, `box-${eid}`, new JoinConfig());
  if (eid === "e" || eid.endsWith(REVOKE)) await driver.programExternalConnectivity("n", eid, { port: 80 });
}
const calls = [
  driver.createNetwork("hang-createNetwork"),
  driver.deleteNetwork("hang-deleteNetwork"),
  driver.createEndpoint("n", "hang-createEndpoint", new EndpointConfig()),
  driver.deleteEndpoint("n", "hang-deleteEndpoint"),
  driver.join("n", "hang-join", "box", new JoinConfig()),
  driver.leave("n", "hang-leave"),
  driver.programExternalConnectivity("n", `hang-${PROGRAM}`, { port: 81 }),
  driver.revokeExternalConnectivity("n", `hang-${REVOKE}`),
];
await Promise.all(calls);
