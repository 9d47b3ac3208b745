/** File systems for one test, on a loop device or in memory, mounted in the mount namespace of the process that asks. */
import { execFileSync } from "node:child_process";
import { accessSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";

export type FileSystem = "tmpfs" | "ext4" | "xfs" | "btrfs";

interface Making {
  /** Size of the image. XFS and btrfs take no less. */
  readonly size: string;
  readonly make: readonly string[];
  /** The program's options that fill a file without writing it. */
  readonly sparse: boolean;
}

const MAKING: Readonly<Record<Exclude<FileSystem, "tmpfs">, Making>> = {
  ext4: { size: "4M", make: ["mkfs.ext4", "-q", "-O", "^has_journal", "-m", "0", "-N", "64"], sparse: false },
  xfs: { size: "300M", make: ["mkfs.xfs", "-q"], sparse: true },
  btrfs: { size: "128M", make: ["mkfs.btrfs", "-q", "--mixed"], sparse: true },
};

/** Why a file system cannot be had here; false: it can. */
export function lacks(kind: FileSystem): string | false {
  if (kind === "tmpfs") return false;
  if (!new RegExp(`\\t${kind}$`, "m").test(readFileSync("/proc/filesystems", "utf8")))
    return `the kernel has no ${kind}`;
  const [program = ""] = MAKING[kind].make;
  return hasProgram(program) ? false : `there is no ${program}`;
}

export function hasProgram(name: string): boolean {
  return (process.env.PATH ?? "").split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, name));
      return true;
    } catch {
      return false;
    }
  });
}

/** True if its free space can be filled without writing it. */
export function isSparse(kind: FileSystem): boolean {
  return kind !== "tmpfs" && MAKING[kind].sparse;
}

/** Makes a file system, whose image is in `root`, and mounts it at `at`. Returns its loop device; undefined: it has none. */
export function mountNew(kind: FileSystem, root: string, at: string): string | undefined {
  if (kind === "tmpfs") {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=4m,nr_inodes=64", "none", at]);
    return undefined;
  }
  const { size, make } = MAKING[kind];
  const image = join(root, "image");
  execFileSync("truncate", ["-s", size, image]);
  execFileSync(make[0] as string, [...make.slice(1), image]);
  return mountImage(kind, image, at);
}

/** Mounts an image; its loop device is freed with the mount. */
export function mountImage(kind: FileSystem, image: string, at: string): string {
  const device = execFileSync("losetup", ["--find", "--show", image], { encoding: "utf8" }).trim();
  try {
    execFileSync("mount", ["-t", kind, ...(kind === "ext4" ? ["-o", "errors=remount-ro"] : []), device, at]);
  } finally {
    execFileSync("losetup", ["--detach", device]);
  }
  return device;
}
