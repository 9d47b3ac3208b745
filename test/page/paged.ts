/** Hosts with their page, and a browser to open it with. */
import { existsSync } from "node:fs";
import { type Browser, type BrowserContextOptions, chromium, type Page as Tab } from "playwright-core";
import type { PluginHostOptions } from "#dist/index.js";
import { type Page, servePage } from "#dist/page/server.js";
import { type Controlled, controlled } from "../control/controlled.js";
import type { TestContext } from "../harness.js";
import { recorder } from "../kit/logger.js";

export interface Paged extends Controlled {
  readonly page: Page;
  readonly token: string;
  /** The page's address with its token. */
  readonly link: string;
  /** Serves the page again, at the port that it had. */
  serve(): Promise<Page>;
}

/** Starts a host over `files`, and serves its page at a free port. */
export async function paged(
  t: TestContext,
  files: Readonly<Record<string, string>>,
  options: Partial<PluginHostOptions> = {},
): Promise<Paged> {
  const served = await controlled(t, files, options);
  const dataDir = served.home.path("data");
  const { logger } = recorder();
  const serve = async (port: number): Promise<Page> => {
    const page = await servePage({ at: { host: "127.0.0.1", port }, control: served.socket, dataDir, logger });
    t.cleanup(() => page.close());
    return page;
  };
  const page = await serve(0);
  const { token } = page;
  return { ...served, page, token, link: `${page.url}#${token}`, serve: () => serve(Number(new URL(page.url).port)) };
}

const CHROMIUM = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((path) =>
  existsSync(path),
);

/** Why no browser can be started here. */
export const noBrowser: string | undefined =
  CHROMIUM === undefined ? "chromium is not installed (apt-get install chromium)" : undefined;

/** One browser for a file's tests: its start takes longer than most of them. */
let browser: Promise<Browser> | undefined;

/** Ends it: for `after` of a file that opens tabs. */
export async function closeBrowser(): Promise<void> {
  await (await browser)?.close();
}

/** Opens a tab, which shares nothing with another test's. `errors` gets what the page throws, and what its policy refuses. */
export async function tab(
  t: TestContext,
  options: BrowserContextOptions = {},
): Promise<{ readonly tab: Tab; readonly errors: readonly string[] }> {
  // As root, Chromium needs to be told to do without its own sandbox; the only pages it opens are the test's.
  const args = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"];
  browser ??= chromium.launch({ executablePath: CHROMIUM ?? "", args });
  const context = await (await browser).newContext(options);
  t.cleanup(() => context.close());
  const opened = await context.newPage();
  const errors: string[] = [];
  opened.on("pageerror", (error) => errors.push(String(error)));
  opened.on("console", (message) => {
    // A request that fails while the host is away is logged by the browser itself.
    if (message.type() === "error" && !/ERR_CONNECTION|ERR_INCOMPLETE/.test(message.text()))
      errors.push(message.text());
  });
  return { tab: opened, errors };
}
