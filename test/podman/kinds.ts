/** The releases of Podman that the acceptance runs against, each in the root of a Debian release. */
import { existsSync } from "node:fs";
import { join } from "node:path";

export interface PodmanKind {
  /** Release, as `podman version` begins. */
  readonly release: "5.4" | "5.8";
  /** The Debian release whose root has it (test/docker/engine/root.sh). */
  readonly suite: "trixie" | "sid";
}

export const PODMANS: Readonly<Record<"trixie" | "sid", PodmanKind>> = {
  trixie: { release: "5.4", suite: "trixie" },
  sid: { release: "5.8", suite: "sid" },
};

/** The folder of a release's root. */
export function rootOf({ suite }: PodmanKind): string {
  return join(process.env.BULKHEAD_ROOTS ?? "/var/cache/bulkhead-roots", suite);
}

/** Why there is no root with this Podman; undefined when there is one. */
export function noRoot(kind: PodmanKind): string | undefined {
  const root = rootOf(kind);
  if (existsSync(join(root, "usr/bin/podman")) && existsSync(join(root, "usr/bin/catatonit"))) return undefined;
  return `there is no Podman in ${root} (make it: test/docker/engine/root.sh ${kind.suite})`;
}
