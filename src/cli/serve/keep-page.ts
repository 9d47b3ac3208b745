/** Serves the page while the daemon runs. If another program holds the port, the daemon starts without the page and tries again. */
import { messageOf } from "../../common/text.js";
import { PAGE } from "../../page/limits.js";
import type { Page, PageOptions } from "../../page/server.js";

/** Serves the page, and tries again after a failure, until the returned function is called. */
export function keepPage(options: PageOptions, retryMs: number = PAGE.retryMs): () => Promise<void> {
  const { logger, at } = options;
  let ended = false;
  let page: Page | undefined;
  let timer: NodeJS.Timeout | undefined;
  let failed = "";
  const open = async (): Promise<void> => {
    try {
      // Loaded only where it is wanted.
      const { servePage } = await import("../../page/server.js");
      page = await servePage(options);
      const { url, tokenFile } = page;
      logger.info({ url, tokenFile }, `the page is served at ${url}; it asks for the token in ${tokenFile}`);
    } catch (error) {
      const why = messageOf(error);
      if (why !== failed) logger.error({ err: error, ...at }, `${why}; it is tried again every ${retryMs / 1000} s`);
      failed = why;
      if (!ended) timer = setTimeout(start, retryMs).unref();
    }
  };
  let opening: Promise<void> = Promise.resolve();
  const start = (): void => {
    opening = open();
  };
  start();
  return async () => {
    ended = true;
    clearTimeout(timer);
    await opening;
    await page?.close();
  };
}
