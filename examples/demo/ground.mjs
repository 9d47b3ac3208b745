/**
 * The demo's networks: network namespaces of its own, unconnected to the machine's network. Without the kernel's, namespaces of
 * the model.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { kernelProblem } from "#dist/permissions/netlink/kernel/available.js";
import { program } from "#dist/permissions/netlink/kernel/programs.js";

const FOLDER = "/run/netns";
const OWN = /^bhdemo-(\d+)-(host|a|b)$/;

/** Prepares the networks. `backend` says on which, `why` what the kernel's lack. */
export function openGround() {
  const [host, a, b] = ["host", "a", "b"].map((part) => `bhdemo-${process.pid}-${part}`);
  const ground = { host, boxes: [a, b], remove: () => [host, a, b].forEach(remove) };
  const problem = kernelProblem() ?? pingProblem() ?? openNamespaces([host, a, b]);
  if (problem === undefined) return { ...ground, backend: "kernel" };
  ground.remove();
  return { ...ground, backend: "model", why: problem };
}

/** Lists the namespaces of this process that exist. */
export function namespacesLeft() {
  return namespaces().filter((name) => OWN.exec(name)?.[1] === String(process.pid));
}

function pingProblem() {
  return program("busybox") ? undefined : 'there is no "busybox" to ping with (Debian: apt install busybox-static)';
}

function openNamespaces(names) {
  // Removes what a demo that was killed left behind.
  for (const name of namespaces().filter(isStale)) remove(name);
  for (const name of names) {
    const made = ip("netns", "add", name);
    if (made.status !== 0) return `ip netns add failed: ${made.stderr.trim()}`;
  }
  return undefined;
}

function isStale(name) {
  const pid = OWN.exec(name)?.[1];
  if (pid === undefined) return false;
  try {
    return !readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("demo.mjs");
  } catch {
    return true;
  }
}

function remove(name) {
  if (existsSync(`${FOLDER}/${name}`)) ip("netns", "delete", name);
}

function namespaces() {
  return existsSync(FOLDER) ? readdirSync(FOLDER) : [];
}

/** Detached: a terminal sends Ctrl-C to the whole process group, and cleanup must not be interrupted. */
function ip(...args) {
  return spawnSync(program("ip") ?? "ip", args, { encoding: "utf8", timeout: 10_000, detached: true });
}
