/** As whom host processes run. */
import { readFileSync } from "node:fs";
import type { WallCommand } from "./wall.js";

/** When the platform is root: "bulkhead" where there is one, else "nobody". Undefined: its own account, which is an ordinary one. */
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
    throw new Error("the account it would run as is root's, or of root's group");
  return account;
}

/** Empty where there is none: an image without a distribution. */
function passwd(): string {
  try {
    return readFileSync("/etc/passwd", "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw error;
  }
}
