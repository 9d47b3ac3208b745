/** One `GET` over the control socket without `node:http`, which takes longer to load and to run than all the rest of `bulkhead ps`. */
import { connect } from "node:net";
import { CONTROL } from "./limits.js";

/**
 * Resolves with the reply's JSON; with undefined for any other reply or none: the ordinary client then asks again, and reports the
 * reason. Never rejects.
 */
export async function quickAsk(socketPath: string, path: string): Promise<unknown> {
  try {
    const text = await exchange(socketPath, `GET ${path} HTTP/1.1\r\nhost: bulkhead\r\nconnection: close\r\n\r\n`);
    return JSON.parse(bodyOf(text));
  } catch {
    return undefined;
  }
}

function exchange(path: string, request: string): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let bytes = 0;
    const socket = connect({ path });
    socket.setTimeout(CONTROL.quickMs, () => socket.destroy(new Error("no reply")));
    socket.on("error", reject);
    socket.on("end", () => resolve(Buffer.concat(parts)));
    socket.on("data", (part) => {
      parts.push(part);
      bytes += part.length;
      if (bytes > CONTROL.replyBytes) socket.destroy(new Error("the reply is too large"));
    });
    socket.write(request);
  });
}

/** Returns the body of a whole reply with status 200 and a length. Throws otherwise. */
function bodyOf(reply: Buffer): string {
  const end = reply.indexOf("\r\n\r\n");
  const head = reply.subarray(0, Math.max(end, 0)).toString("latin1");
  const body = reply.subarray(end + 4);
  const length = /\r\ncontent-length: *(\d+) *(?:\r\n|$)/i.exec(head)?.[1];
  if (!/^HTTP\/1\.1 200 /.test(head) || length === undefined || Number(length) !== body.length)
    throw new Error("not a whole reply");
  return body.toString();
}
