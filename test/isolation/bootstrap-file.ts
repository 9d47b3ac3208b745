/** Bootstraps of a test's own, written into a temporary folder. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PROTOCOL_VERSION } from "#dist/protocol/messages.js";
import { RUNTIME_VERSION } from "#dist/protocol/version.js";
import type { TestContext } from "../harness.js";

/** Says an honest hello with its thread's id, then runs `body`; there are `say(text)`, `port`, `cell`, `header`. */
export async function bootstrapFile(t: TestContext, body: string): Promise<string> {
  const file = join(await t.folder(), "bootstrap.cjs");
  const hello = `{ kind: "hello", protocol: ${PROTOCOL_VERSION}, runtime: "${RUNTIME_VERSION}", thread: threadId }`;
  await writeFile(
    file,
    `const { threadId } = require("node:worker_threads");
module.exports = ({ port, cell, route }) => {
  const header = route.toString(16).padStart(8, "0");
  const say = (...messages) => port.postMessage(header + JSON.stringify([0, ...messages]));
  port.on("message", () => {});
  say(${hello});
  ${body}
  return new Promise(() => {});
};`,
  );
  return file;
}

/** A bootstrap that is `source` and nothing else. */
export async function rawBootstrapFile(t: TestContext, source: string): Promise<string> {
  const file = join(await t.folder(), "bootstrap.cjs");
  await writeFile(file, source);
  return file;
}
