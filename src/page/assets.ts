/** The page's own files: it loads nothing from elsewhere, and its policy forbids the browser to. */
import { readFile } from "node:fs/promises";

/** Headers of every reply. `no-store` also keeps the page out of the back/forward cache. */
export const HEADERS: Readonly<Record<string, string>> = {
  "cache-control": "no-store",
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
};

export interface Asset {
  readonly type: string;
  readonly body: Buffer;
}

const FILES = {
  "/": ["index.html", "text/html; charset=utf-8"],
  "/page.js": ["page.js", "text/javascript; charset=utf-8"],
  "/page.css": ["page.css", "text/css; charset=utf-8"],
  "/icon.svg": ["icon.svg", "image/svg+xml"],
} as const;

/** Reads them, by the path under which each is served. */
export async function readAssets(): Promise<ReadonlyMap<string, Asset>> {
  const read = Object.entries(FILES).map(
    async ([path, [file, type]]) =>
      [path, { type, body: await readFile(new URL(`./assets/${file}`, import.meta.url)) }] as const,
  );
  return new Map(await Promise.all(read));
}
