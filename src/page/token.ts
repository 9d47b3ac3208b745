/** The page's token: a secret in a file that only the data folder's owner can read. Kept between starts, so that an open page reconnects. */
import { randomBytes } from "node:crypto";
import { lstat, open, readFile, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { DriverError } from "../driverapi/errors.js";
import { giveToOwner } from "../storage/folder-owner.js";
import { PAGE } from "./limits.js";

const FORM = /^[\w-]{43}$/;

export interface PageToken {
  readonly token: string;
  readonly file: string;
}

/**
 * Reads the token in the data folder, or makes one. Rejects with `ERR_OPTIONS` if the file is not this account's alone, does not hold a
 * token, or cannot be written.
 */
export async function pageToken(dataDir: string): Promise<PageToken> {
  const file = join(dataDir, "page-token");
  return { token: (await kept(file)) ?? (await made(file)), file };
}

async function kept(file: string): Promise<string | undefined> {
  const found = await lstat(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw refused(file, error.message);
  });
  if (found === undefined) return undefined;
  if (!found.isFile()) throw refused(file, "it is not a regular file");
  const owners = [process.geteuid?.(), (await stat(dirname(file))).uid];
  if (!owners.includes(found.uid) || (found.mode & 0o077) !== 0)
    throw refused(file, "another account owns it or can read it");
  const token = (await readFile(file, "utf8")).trim();
  if (!FORM.test(token)) throw refused(file, "it does not hold a token");
  return token;
}

async function made(file: string): Promise<string> {
  const token = randomBytes(PAGE.tokenBytes).toString("base64url");
  const draft = `${file}.${randomBytes(8).toString("hex")}`;
  try {
    const handle = await open(draft, "wx", 0o600);
    try {
      await handle.writeFile(`${token}\n`);
      giveToOwner(handle.fd, dirname(file));
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(draft, file);
  } catch (error) {
    await rm(draft, { force: true });
    throw new DriverError("ERR_OPTIONS", `${file}: the token cannot be written: ${(error as Error).message}`);
  }
  return token;
}

function refused(file: string, why: string): DriverError {
  return new DriverError("ERR_OPTIONS", `${file}: ${why}; delete it, and the page makes a new one at the next start`);
}
