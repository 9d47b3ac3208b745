/** What a stage may not leave behind, and what it may not touch: seen from the machine, before and after. */
import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { assert } from "../../harness.js";
import { execute } from "./programs.js";
import { cgroups, type Stage } from "./stage.js";

/** How long others may have something of theirs there, in milliseconds. */
const OTHERS_MS = 15_000;

/** Links and rules of the machine's own namespace. */
export async function machineState(): Promise<readonly string[]> {
  const commands = [
    ["ip", "-brief", "link", "show"],
    ["ip", "route", "show", "table", "all"],
    ["nft", "list", "ruleset"],
    ["sysctl", "-n", "net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding"],
  ];
  return Promise.all(commands.map(async (command) => (await execute(command, process.env)).out));
}

/** Closes the stage. Nothing of it is left: no process, namespace, mount, control group or folder. */
export async function closeClean(stage: Stage, before: readonly string[]): Promise<void> {
  const { names, release } = stage.holdNamespaces();
  try {
    await stage.close();
    assert.equal(living(stage.root, names), [], "its processes");
  } finally {
    release();
  }
  assert.not(existsSync(stage.root), "its folder");
  assert.equal(cgroups(stage.cgroup), [], "its control groups");
  assert.not(readFileSync("/proc/self/mountinfo", "utf8").includes(stage.root), "its mounts");
  await sameAgain(before);
}

/** Others that run beside this may have a link of theirs in the machine's namespace for a moment; what this one leaves stays. */
async function sameAgain(before: readonly string[]): Promise<void> {
  const end = performance.now() + OTHERS_MS;
  let now = await machineState();
  while (!isDeepStrictEqual(now, before) && performance.now() < end) now = await machineState();
  assert.equal(now, before, "the machine's links, routes, rules and forwarding");
}

/** Command lines of processes in one of the namespaces, or that name the folder. */
function living(root: string, namespaces: readonly string[]): readonly string[] {
  return readdirSync("/proc").flatMap((pid) => {
    if (!/^\d+$/.test(pid)) return [];
    try {
      const line = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
      const inside = ["net", "mnt", "pid"].some((kind) => namespaces.includes(readlinkSync(`/proc/${pid}/ns/${kind}`)));
      return inside || line.includes(root) ? [`${pid}: ${line}`] : [];
    } catch {
      // It has ended meanwhile.
      return [];
    }
  });
}
