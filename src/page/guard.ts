/** Decides which requests the page's server answers. */
import type { IncomingHttpHeaders } from "node:http";
import { hostName, isLoopback } from "../common/tcp-address.js";

/** A refusal: its status, and what to do. */
export interface Refusal {
  readonly status: 401 | 403;
  readonly message: string;
}

/** Refuses requests from another site: DNS rebinding or cross-origin. */
export function refuseForeign(headers: IncomingHttpHeaders): Refusal | undefined {
  const { host = "", origin, "sec-fetch-site": site } = headers;
  if (!isLoopbackName(host))
    return { status: 403, message: "open the page at a loopback address, such as 127.0.0.1, or at localhost" };
  const own = origin === undefined || origin === `http://${host}`;
  const sent = site === undefined || site === "same-origin" || site === "none";
  return own && sent ? undefined : { status: 403, message: "another site's page sent this request" };
}

/** True for `localhost` and a loopback address, whatever the port: a tunnel may have another one than the server. */
function isLoopbackName(header: string): boolean {
  const name = hostName(header);
  return name === "localhost" || isLoopback(name);
}
