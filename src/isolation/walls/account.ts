/** The account that host processes run as. */
import { readFileSync } from "node:fs";
import type { WallCommand } from "./wall.js";

/**
 * Chooses the account when the platform is root: "bulkhead" if it exists, else "nobody". Undefined: the platform's own,
 * unprivileged account.
 */
export function serviceAccount(): WallCommand["account"] {
  if (process.getuid?.() !== 0) return undefined;
  const accounts = new Map(
    passwd()
      .split("\n")
      .map((line) => line.split(":"))
      .filter((fields) => fields.length >= 4)
      .map(([name, , uid, gid]) => [name, { uid: Number(uid), gid: Number(gid) }] as const),
  );
  const account = accounts.get("bulkhead") ?? accounts.get("nobody") ?? { uid: 65_534, gid: 65_534 };
  if (!(account.uid > 0 && account.gid > 0))
    throw new Error(
      'the account for host processes ("bulkhead" or "nobody") has UID or GID 0; create one without rights',
    );
  return account;
}

/** Returns an empty text where the file is missing: an image without a distribution. */
function passwd(): string {
  try {
    return readFileSync("/etc/passwd", "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw error;
  }
}
