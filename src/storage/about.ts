/** What a data folder says of itself: the version of its rows, and the ledgers' id. */
import { randomBytes } from "node:crypto";
import { unusable } from "./errors.js";
import type { Row } from "./tables.js";

/** Version of what the rows hold; a folder of another version is neither opened nor shown. */
const FORMAT_VERSION = 1;

/** Key of the row, in `meta`. */
export const ABOUT_KEY: Buffer = Buffer.from("about");

/** The row's value. */
export interface About {
  readonly version: number;
  /** The ledgers' id: written into the kernel, so it never changes. */
  readonly id: string;
}

export function newAbout(): About {
  return { version: FORMAT_VERSION, id: `d${randomBytes(8).toString("hex")}` };
}

/** Returns the row's value; undefined: there is no such row. Throws `ERR_DATA_DIR` for a folder of another version. */
export function readAbout(folder: string, meta: readonly Row[]): About | undefined {
  const row = meta.find(({ key }) => key.equals(ABOUT_KEY));
  if (!row) return undefined;
  const about = JSON.parse(row.body) as About;
  if (about.version === FORMAT_VERSION) return about;
  const why = `its rows have format version ${about.version}, and this Bulkhead reads ${FORMAT_VERSION}; start the version that wrote them`;
  throw unusable(folder, new Error(why));
}
