/** One small HTTP request over a Unix socket, to a peer that may be slow, send too much, or not speak HTTP. */
import { request } from "node:http";

export interface UnixRequest {
  readonly socketPath: string;
  readonly method: "GET" | "POST";
  readonly path: string;
  /** Deadline, in milliseconds. */
  readonly ms: number;
  /** Longest reply, in bytes. */
  readonly maxBytes: number;
}

/** Resolves with the JSON of a reply with status 200, else undefined. Never rejects. */
export function unixJson({ socketPath, method, path, ms, maxBytes }: UnixRequest): Promise<unknown> {
  return new Promise((resolve) => {
    const signal = AbortSignal.timeout(ms);
    const give = (value?: unknown): void => {
      sent.destroy();
      resolve(value);
    };
    const sent = request({ socketPath, method, path, signal, agent: false, headers: { host: "bulkhead" } });
    sent.on("error", () => give());
    sent.once("response", (response) => {
      const parts: Buffer[] = [];
      let bytes = 0;
      response.on("error", () => give());
      response.on("data", (part: Buffer) => {
        bytes += part.length;
        if (bytes > maxBytes) give();
        else parts.push(part);
      });
      response.once("end", () => give(response.statusCode === 200 ? parsed(Buffer.concat(parts)) : undefined));
    });
    sent.end();
  });
}

function parsed(text: Buffer): unknown {
  try {
    return JSON.parse(text.toString());
  } catch {
    return undefined;
  }
}
