/**
 * A platform that runs out of file descriptors while a plugin crashes, and gets them back: a process of its own, told the
 * plugins' folder. It says what it saw, and ends with what it was not to meet: an uncaught exception.
 */
import { closeSync, openSync } from "node:fs";
import { createPluginHost, EndpointConfig } from "bulkhead";
import { prepareBundler, releaseBundler } from "#dist/bundler/bundle.js";
import { SILENT } from "../kit/logger.js";

const [, , plugins = ""] = process.argv;
/** Enough to read a folder by, too few for a process's streams: the spawner has descriptors of its own, but hands them over. */
const SPARE = 2;

const host = await createPluginHost({
  plugins,
  isolation: "dedicated",
  policy: { sandbox: "auto" },
  logger: SILENT,
});
const driver = host.driver("crash");
await driver.createNetwork("net");
// What stood ready has gone: whatever is started from now on needs descriptors.
await releaseBundler();
const taken: number[] = [];
try {
  for (;;) taken.push(openSync("/dev/null", "r"));
} catch {
  // There are no more.
}
for (const one of taken.splice(-SPARE)) closeSync(one);
prepareBundler();
const refusal = await host.reload("crash").catch((error: { code: string }) => error.code);
// A spare may stand ready for the first of its ends; for a later one nothing can be started.
let over = false;
host.once("plugin:unavailable", () => {
  over = true;
});
const codes = new Set<string>();
for (let n = 0; !over; n++)
  await driver
    .createEndpoint("net", `end-${n}`, new EndpointConfig())
    .catch((error: { code: string }) => codes.add(error.code));
for (const one of taken) closeSync(one);
await host.reload("crash");
const state = host.plugins()[0]?.state;
await host.close();
console.log(JSON.stringify({ refusal, codes: [...codes].sort(), state }));
