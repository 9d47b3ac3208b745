/** Probes of the account, capabilities, filter, namespaces and memory. */
import { readFileSync, readlinkSync } from "node:fs";
import { observe, type Probe, probe, type Targets } from "../probe.js";

function status(name: string): string {
  const line = new RegExp(`^${name}:\\s*(.*)$`, "m").exec(readFileSync("/proc/self/status", "utf8"));
  return line?.[1] ?? "unknown";
}

/** Checks the account as the process sees itself; the platform looks up the real one. */
export function account(): readonly Probe[] {
  const uid = process.getuid?.() ?? -1;
  return [
    observe("be root", uid === 0, `uid ${uid}`),
    ...(uid === 0 ? [] : [probe("become root", () => process.setuid?.(0))]),
  ];
}

export function capabilities(): readonly Probe[] {
  return ["CapEff", "CapPrm", "CapInh", "CapAmb", "CapBnd"].map((set) => {
    const held = status(set);
    return observe(`hold capabilities (${set})`, !/^0+$/.test(held), held);
  });
}

export function noNewPrivileges(): readonly Probe[] {
  const said = status("NoNewPrivs");
  return [observe("gain privileges by a program", said !== "1", `NoNewPrivs ${said}`)];
}

export function filter(): readonly Probe[] {
  const mode = status("Seccomp");
  return [observe("be without a filter", mode !== "2", `Seccomp ${mode}`)];
}

/** Leaves out the cgroup namespace, which bubblewrap creates only if the kernel supports it. */
export function namespaces({ namespaces }: Targets): readonly Probe[] {
  return Object.entries(namespaces).map(([name, platforms]) => {
    const own = readlinkSync(`/proc/self/ns/${name}`);
    return observe(`share the platform's ${name} namespace`, own === platforms, own);
  });
}

const CHUNK_MB = 16;

/** Reserves memory without touching it: the limit counts writable memory. */
export function memory({ dataMb }: Targets): readonly Probe[] {
  const kept: Buffer[] = [];
  const most = dataMb + 8 * CHUNK_MB;
  const tried = probe(`take ${most} MiB, of ${dataMb}`, () => {
    while (kept.length * CHUNK_MB < most) kept.push(Buffer.allocUnsafeSlow(CHUNK_MB * 1_048_576));
    return `${most} MiB taken`;
  });
  const got = kept.length * CHUNK_MB;
  kept.length = 0;
  return [tried.through ? tried : { ...tried, said: `${tried.said} after ${got} MiB` }];
}
