/** Talks to the page's server. Every request is signed, which an EventSource could not be. */
import type { ErrorBody, HostEvent } from "../../control/types.js";
import { loadKey, signed } from "./key.js";

/** The token is missing (`missing`) or wrong. */
export class TokenRefused extends Error {
  readonly missing: boolean;

  constructor(missing: boolean) {
    super();
    this.missing = missing;
  }
}

/** Rejects with `TokenRefused`, with the host's own message, or with a TypeError if the server does not answer. */
export async function ask<T>(path: string, method: "GET" | "POST" = "GET"): Promise<T> {
  const response = await send(path, method, AbortSignal.timeout(20_000));
  const body: unknown = await response.json();
  const { code, message } = body as Partial<ErrorBody>;
  if (!response.ok && code !== undefined) throw new Error(`${code}: ${message ?? ""}`);
  return body as T;
}

/** Calls `each` with every event, and `missed` when some were evicted before they were read, until the stream ends or `signal` aborts. */
export async function follow(
  query: string,
  signal: AbortSignal,
  each: (event: HostEvent) => void,
  missed: (count: number) => void,
): Promise<void> {
  const response = await send(`/v1/events?${query}`, "GET", signal);
  if (!response.ok || !response.body) throw new Error(`the events cannot be followed (HTTP ${response.status})`);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    const blocks = `${rest}${part.value}`.split("\n\n");
    rest = blocks.pop() ?? "";
    for (const block of blocks) {
      const lines = block.split("\n");
      const data = lines.find((line) => line.startsWith("data: "))?.slice(6);
      if (data === undefined) continue;
      if (lines.includes("event: missed")) missed((JSON.parse(data) as { readonly count: number }).count);
      else each(JSON.parse(data) as HostEvent);
    }
  }
}

async function send(path: string, method: string, signal: AbortSignal): Promise<Response> {
  const key = await loadKey();
  if (!key) throw new TokenRefused(true);
  const headers = { authorization: await signed(key, method, path) };
  const response = await fetch(path, { method, headers, signal, cache: "no-store" });
  if (response.status === 401) throw new TokenRefused(false);
  return response;
}
