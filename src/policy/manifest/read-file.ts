/** Reads a small, untrusted file: a pipe must not block the reader, and a huge file must not fill its memory. */
import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";

/** The outcome. */
export type ReadFile =
  | { readonly kind: "read"; readonly bytes: Uint8Array; readonly text: string }
  | { readonly kind: "absent" }
  | {
      readonly kind: "refused";
      readonly why: string;
      /** It is not a regular file at all. */
      readonly irregular?: true;
    };

/**
 * Reads a regular file of at most `maxBytes` of UTF-8. Opens without blocking, so that a named pipe is recognised. Links are
 * refused unless `followLink`. Never throws.
 */
export async function readRegularFile(
  path: string,
  options: { maxBytes: number; followLink?: boolean },
): Promise<ReadFile> {
  const { maxBytes, followLink = false } = options;
  const flags = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | (followLink ? 0 : (constants.O_NOFOLLOW ?? 0));
  let handle: FileHandle;
  try {
    handle = await open(path, flags);
  } catch (error) {
    return whyNot(error);
  }
  try {
    const found = await handle.stat();
    if (!found.isFile()) return { kind: "refused", why: "it is not a regular file", irregular: true };
    if (found.size > maxBytes)
      return { kind: "refused", why: `it is ${found.size} bytes long; at most ${maxBytes} are read` };
    // One byte more than allowed, in case it grows while being read.
    const buffer = Buffer.alloc(maxBytes + 1);
    let length = 0;
    for (;;) {
      const { bytesRead } = await handle.read(buffer, length, buffer.length - length);
      length += bytesRead;
      if (length > maxBytes) return { kind: "refused", why: `it is over ${maxBytes} bytes long; no more are read` };
      if (bytesRead === 0) break;
    }
    const bytes = new Uint8Array(buffer.subarray(0, length));
    return { kind: "read", bytes, text: new TextDecoder("utf-8", { fatal: true }).decode(bytes) };
  } catch (error) {
    if (error instanceof TypeError) return { kind: "refused", why: "it is not UTF-8 text" };
    return whyNot(error);
  } finally {
    await handle.close().catch(() => {});
  }
}

function whyNot(error: unknown): ReadFile {
  const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
  if (code === "ENOENT" || code === "ENOTDIR") return { kind: "absent" };
  if (code === "ELOOP") return { kind: "refused", why: "it is a symbolic link", irregular: true };
  if (code === "ENXIO") return { kind: "refused", why: "it is not a regular file", irregular: true };
  return { kind: "refused", why: `it cannot be read (${code})` };
}
