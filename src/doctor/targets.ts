/** Sets up what the probes attack: servers, a file and a process of the platform, all harmless to lose. */
import { randomBytes } from "node:crypto";
import { chmodSync, mkdtempSync, readlinkSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type ListenOptions, type Server } from "node:net";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Targets } from "./probe.js";

const PACKAGE = fileURLToPath(new URL("../../package.json", import.meta.url));
const NAMESPACES = ["user", "mnt", "pid", "net", "ipc", "uts"] as const;
/** Folders that exist behind the wall too, with other contents. */
const STANDS_INSIDE = /^\/(usr|lib|lib64|bin|proc|dev|tmp|bulkhead)?(\/[^/]*)?$/;

export interface TargetSet {
  readonly targets: Targets;
  remove(): Promise<void>;
}

/** Sets the targets up. `dataMb`: writable memory of the probing process, in mebibytes. */
export async function setTargets(dataMb: number): Promise<TargetSet> {
  const folder = mkdtempSync(join(realpathSync(tmpdir()), "bulkhead-doctor-"));
  const servers: Server[] = [];
  const remove = async (): Promise<void> => {
    await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    // Readable by all: only the wall keeps the probes out.
    chmodSync(folder, 0o755);
    const temporary = join(folder, "file");
    writeFileSync(temporary, "nothing\n", { mode: 0o644 });
    const path = join(folder, "socket");
    const abstract = `\0bulkhead-doctor-${randomBytes(6).toString("hex")}`;
    const v4 = await serve(servers, { host: "127.0.0.1", port: 0 });
    const v6 = await serve(servers, { host: "::1", port: 0 }).catch(() => undefined);
    const paths: string[] = [];
    for (const one of process.platform === "linux" ? [path, abstract] : [path]) {
      await serve(servers, { path: one });
      paths.push(one);
    }
    chmodSync(path, 0o777);
    const ports = { ...(v4 === undefined ? {} : { v4 }), ...(v6 === undefined ? {} : { v6 }), paths };
    const own = [homedir(), process.cwd(), PACKAGE].filter((one) => !STANDS_INSIDE.test(one));
    const files = [...new Set(["/etc/passwd", "/etc/hostname", "/root", "/home", "/var", ...own])];
    return { targets: { pid: process.pid, namespaces: namespaces(), files, temporary, ports, dataMb }, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** Starts a server; resolves with its port if it has one. */
function serve(servers: Server[], where: ListenOptions): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.on("error", () => {}).end());
    server.once("error", reject);
    server.listen(where, () => {
      servers.push(server);
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : undefined);
    });
  });
}

function namespaces(): Readonly<Record<string, string>> {
  if (process.platform !== "linux") return {};
  return Object.fromEntries(NAMESPACES.map((name) => [name, readlinkSync(`/proc/self/ns/${name}`)]));
}
