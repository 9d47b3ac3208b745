/**
 * Where the demonstration's packets flow: network namespaces of its own, without a way out, so that nothing of the machine's
 * network is touched. Where there is no kernel to be had, names of namespaces in the model.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { kernelProblem } from "#dist/permissions/netlink/kernel/available.js";
import { program } from "#dist/permissions/netlink/kernel/programs.js";

const FOLDER = "/run/netns";
const OWN = /^bhdemo-(\d+)-(host|a|b)$/;

/** Opens the ground: `backend` says which it is, `why` what is missing for the kernel. */
export function openGround() {
  const [host, a, b] = ["host", "a", "b"].map((part) => `bhdemo-${process.pid}-${part}`);
  const ground = { host, boxes: [a, b], remove: () => [host, a, b].forEach(remove) };
  const problem = kernelProblem() ?? pingProblem() ?? openNamespaces([host, a, b]);
  if (problem === undefined) return { ...ground, backend: "kernel" };
  ground.remove();
  return { ...ground, backend: "model", why: problem };
}

/** The namespaces of this process that are there. */
export function namespacesLeft() {
  return namespaces().filter((name) => OWN.exec(name)?.[1] === String(process.pid));
}

function pingProblem() {
  return program("busybox") ? undefined : 'there is no "busybox" to ping with (Debian: apt install busybox-static)';
}

function openNamespaces(names) {
  // What a demonstration that was killed outright has left.
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

/** Detached, so that a Ctrl-C, which a terminal sends to all of a group, does not end it half-way. */
function ip(...args) {
  return spawnSync(program("ip") ?? "ip", args, { encoding: "utf8", timeout: 10_000, detached: true });
}
