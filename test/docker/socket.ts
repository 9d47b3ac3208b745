/** Requests over a plugin socket as a Docker engine makes them: POST, JSON that does not say so, an answer of JSON. */
import { request } from "node:http";

export interface Reply {
  readonly status: number;
  readonly type: string | undefined;
  readonly body: Readonly<Record<string, unknown>>;
}

/** `body` absent: an empty one, as of Plugin.Activate; text and bytes go as they are. */
export function post(socketPath: string, path: string, body?: unknown): Promise<Reply> {
  const whole = typeof body === "string" || Buffer.isBuffer(body);
  const text = body === undefined ? "" : whole ? body : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const headers = { accept: "application/vnd.docker.plugins.v1.2+json", "content-length": Buffer.byteLength(text) };
    const sent = request({ socketPath, path, method: "POST", headers, agent: false }, (response) => {
      let got = "";
      response.setEncoding("utf8").on("data", (part: string) => {
        got += part;
      });
      response.on("end", () => {
        const { statusCode: status = 0 } = response;
        try {
          resolve({ status, type: response.headers["content-type"], body: JSON.parse(got) });
        } catch {
          reject(new Error(`no JSON: ${status} ${got}`));
        }
      });
    });
    sent.once("error", reject);
    sent.end(text);
  });
}
