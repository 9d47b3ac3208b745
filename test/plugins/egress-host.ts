/** Hosts with the egress driver in processes of their own, which a test may kill: one after another with the same data. */
import { type ChildProcess, spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { copyForTest, testPolicy } from "#dist/testing/plugin-copy.js";
import { assert, type TestContext } from "../harness.js";
import { REPO } from "../kit/host.js";
import { GRANT, networkOptions } from "./egress-house.js";

export interface Host {
  readonly child: ChildProcess;
  /** Sends an order of `egress-host-main`; resolves with its reply. */
  say(order: string): Promise<string>;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
}

/** Returns what starts a host in a namespace, with a network of these options to `join`. */
export async function hostsIn(t: TestContext, netns: string, options: object): Promise<() => Promise<Host>> {
  const copy = await copyForTest(`${REPO}plugins/egress`, undefined);
  t.cleanup(() => copy.remove());
  const folder = await t.folder();
  const policy = join(folder, "bulkhead.config.json");
  await writeFile(policy, JSON.stringify(testPolicy(copy.found, GRANT)));
  const args = [netns, join(folder, "data"), copy.folder, policy, JSON.stringify(networkOptions(options))];
  return () => start(t, args);
}

async function start(t: TestContext, args: readonly string[]): Promise<Host> {
  const script = fileURLToPath(new URL("egress-host-main.js", import.meta.url));
  const child = spawn(process.execPath, [script, ...args], { stdio: ["pipe", "pipe", "inherit"] });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const kill = async (): Promise<void> => {
    child.kill("SIGKILL");
    await ended;
  };
  t.cleanup(kill);
  const waiting: ((line: string) => void)[] = [];
  const heard = (): Promise<string> => new Promise((resolve) => void waiting.push(resolve));
  const ready = heard();
  createInterface({ input: child.stdout }).on("line", (line) => {
    // What is logged comes on the same stream.
    if (!line.startsWith("{")) waiting.shift()?.(line);
  });
  assert.is(await ready, "ready");
  return {
    child,
    kill,
    say(order) {
      child.stdin.write(`${order}\n`);
      return heard();
    },
  };
}
