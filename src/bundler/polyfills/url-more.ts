/** Functions of `node:url` that its copy lacks. */

/** The sandbox's own URL class. */
const Native: typeof URL = globalThis.URL;
const NativeParams: typeof URLSearchParams = globalThis.URLSearchParams;

export { Native as URL, NativeParams as URLSearchParams };

export function fileURLToPath(url: string | URL): string {
  const parsed = new URL(String(url));
  if (parsed.protocol !== "file:") throw new TypeError("The URL must be of scheme file");
  return decodeURIComponent(parsed.pathname);
}

export function pathToFileURL(path: string): URL {
  const url = new URL("file:///");
  url.pathname = path.replaceAll("%", "%25").replaceAll("?", "%3F").replaceAll("#", "%23");
  return url;
}

export function domainToASCII(domain: string): string {
  try {
    return new URL(`ws://${domain}`).hostname;
  } catch {
    return "";
  }
}
