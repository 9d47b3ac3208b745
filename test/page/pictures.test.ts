/** README's pictures of the page, drawn when `BULKHEAD_PICTURES` is set; otherwise only that they are there. */
import { access } from "node:fs/promises";
import { join } from "node:path";
import { assert, suite, until } from "../harness.js";
import { REPO } from "../kit/host.js";
import { plugin } from "../kit/plugins.js";
import { closeBrowser, noBrowser, paged, tab } from "./paged.js";

const test = suite("page/pictures");
const DRAW = process.env.BULKHEAD_PICTURES === "1";
const SCHEMES = ["light", "dark"] as const;
const fileOf = (scheme: string): string => join(REPO, `src/page/page-${scheme}.png`);

/** Work of some milliseconds, so that the charts have something to show. */
const BUSY =
  "createNetwork(nid) { let n = 0; for (let at = 0; at < 3e5 * (1 + (nid.length % 5)); at++) n += at; return void n; },";

test("both pictures exist", async () => {
  if (!DRAW) for (const scheme of SCHEMES) await access(fileOf(scheme));
});

if (DRAW)
  test(
    "drawn after half a minute of load",
    async (t) => {
      const files = {
        "bridge.js": plugin("bridge", { methods: BUSY }),
        "macvlan.js": plugin("macvlan"),
        "spins.js": plugin("spins", { methods: "createNetwork() { for (;;); }," }),
      };
      const { host, link } = await paged(t, files, {
        policy: { plugins: { spins: { timeouts: { createNetwork: 500 } } } },
      });
      const began = performance.now();
      for (let n = 0; performance.now() - began < 32_000; n++) {
        const id = `${"n".repeat(1 + ((n * 7) % 40))}${n}`;
        for (const type of ["bridge", "macvlan"]) {
          await host.driver(type).createNetwork(id);
          if (n > 4) await host.driver(type).deleteNetwork(id);
        }
        if (n % 150 === 149 && n < 400)
          await host
            .driver("spins")
            .createNetwork(id)
            .catch(() => {});
      }
      for (const colorScheme of SCHEMES) {
        const { tab: page } = await tab(t, { viewport: { width: 1100, height: 720 }, colorScheme });
        await page.goto(link);
        await until(
          () =>
            page
              .locator("canvas")
              .count()
              .then((count) => count >= 9),
          "the charts",
          15_000,
        );
        await page.screenshot({ path: fileOf(colorScheme) });
      }
      assert.ok(true);
    },
    { ms: 120_000, needs: noBrowser },
  );

test.after(closeBrowser);
test.run();
