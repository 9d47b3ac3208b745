/** The page in a browser: what it shows, live; its buttons; lost connections; a narrow screen; readers and keyboards. */
import axe from "axe-core";
import { assert, suite, until } from "../harness.js";
import { hear, next } from "../kit/host.js";
import { plugin } from "../kit/plugins.js";
import { closeBrowser, noBrowser, paged, tab } from "./paged.js";

const test = suite("page/page");
const NEEDS = { needs: noBrowser, ms: 60_000 };

const SPINS = plugin("spins", { methods: "createNetwork() { for (;;); }," });
const QUICK = { policy: { plugins: { spins: { timeouts: { createNetwork: 200 } } } } };

test(
  "a crash shows at once: its events, its restart, its count",
  async (t) => {
    const { host, link } = await paged(t, { "net.js": plugin("net"), "spins.js": SPINS }, QUICK);
    const { tab: page, errors } = await tab(t);
    await page.goto(link);
    const card = page.locator('[data-plugin="spins"]');
    await card.getByText("running", { exact: true }).waitFor();
    assert.is(await page.locator("#connection").textContent(), "Connected");
    assert.is(await page.locator("#summary").textContent(), "2 of 2 running");
    assert.not.match(page.url(), /#/);
    const restarted = next(host, "plugin:restarted");
    await host
      .driver("spins")
      .createNetwork("n")
      .catch(() => {});
    await restarted;
    await page.locator("#events li", { hasText: "call:timeout" }).first().waitFor();
    await page.locator("#events li", { hasText: "plugin:restarted" }).first().waitFor();
    await until(async () => (await card.locator("dt:text('Restarts') + dd").textContent()) === "1", "the count");
    assert.equal(errors, []);
  },
  NEEDS,
);

test(
  "restart and quarantine ask first, by keyboard too; Escape cancels",
  async (t) => {
    const { host, link } = await paged(t, { "net.js": plugin("net") });
    const { tab: page, errors } = await tab(t);
    const heard = hear(host);
    await page.goto(link);
    const quarantine = page.getByRole("button", { name: "Quarantine net" });
    await quarantine.focus();
    await page.keyboard.press("Enter");
    const dialog = page.getByRole("dialog", { name: "Quarantine net?" });
    await dialog.waitFor();
    assert.match((await dialog.textContent()) ?? "", /Links and rules stay/);
    await page.keyboard.press("Enter");
    await dialog.waitFor({ state: "hidden" });
    await quarantine.click();
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "hidden" });
    assert.equal(heard, []);
    await quarantine.click();
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await page.getByText("quarantine: done").waitFor();
    await page.locator(".state", { hasText: "quarantined" }).waitFor();
    await page.getByRole("button", { name: "Start net", exact: true }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Start" }).click();
    await page.locator(".state", { hasText: "running" }).waitFor();
    const restarted = next(host, "plugin:restarted");
    await page.getByRole("button", { name: "Restart net" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Restart" }).click();
    await restarted;
    await page.getByText("restart: done").waitFor();
    assert.equal(errors, []);
  },
  NEEDS,
);

test(
  "networks, and what a plugin may do, in words; what a plugin writes is text",
  async (t) => {
    const markup = '<img src=x onerror="document.title=1">';
    const bad = `throw new Error(${JSON.stringify(markup)});`;
    const { host, link } = await paged(t, { "net.js": plugin("net"), "bad.js": plugin("bad", { start: bad }) });
    await host.driver("net").createNetwork("n1");
    const { tab: page, errors } = await tab(t);
    await page.goto(link);
    await page.locator("#networks td", { hasText: "n1" }).waitFor();
    await page.locator('[data-plugin="net"]').getByText("What it may do").click();
    await page.locator('[data-plugin="net"] li', { hasText: "store: a durable key-value store" }).waitFor();
    await page.locator('[data-plugin="bad"] .reason', { hasText: markup }).waitFor();
    assert.is(await page.locator("img").count(), 0);
    assert.is(await page.title(), "Bulkhead");
    assert.equal(errors, []);
  },
  NEEDS,
);

const FORGES = plugin("forges", {
  methods: `createNetwork() { throw new Error("<img src=x onerror=alert(1)>\\u001b[2J\\n\\u202eforged"); },`,
});

test(
  "a closer look: how calls ended, the last errors as text, the commands; it follows what happens",
  async (t) => {
    const { host, link } = await paged(t, { "forges.js": FORGES });
    const { tab: page, errors } = await tab(t, { viewport: { width: 360, height: 780 } });
    const driver = host.driver("forges");
    const fail = (): Promise<void> => driver.createNetwork("n").catch(() => {});
    await fail();
    await page.goto(link);
    const card = page.locator('[data-plugin="forges"]');
    await card.getByText("A closer look").click();
    const message = card.locator("td", { hasText: "onerror" });
    await message.waitFor();
    assert.match((await message.textContent()) ?? "", /^<img src=x onerror=alert\(1\)>\\u\{1b\}\[2J/);
    assert.is(await card.locator("img").count(), 0);
    const row = card.locator("tr", { hasText: "forges.createNetwork" });
    assert.is(await row.locator("td").last().textContent(), "1");
    await fail();
    await row.getByText("2", { exact: true }).waitFor();
    const commands = await card.locator(".commands code").allTextContents();
    assert.ok(commands.includes("bulkhead profile forges"), commands.join());
    await page.evaluate(axe.source);
    const found = (await page.evaluate("axe.run()")) as { violations: { id: string; impact: string }[] };
    const serious = found.violations.filter(({ impact }) => impact === "serious" || impact === "critical");
    assert.equal(
      serious.map(({ id }) => id),
      [],
    );
    const wide = String(await page.evaluate("[document.documentElement.scrollWidth, innerWidth]")).split(",");
    assert.is(wide[0], wide[1]);
    assert.equal(errors, []);
  },
  NEEDS,
);

test(
  "it asks for the token, and says when one is refused",
  async (t) => {
    const { page: served, token } = await paged(t, { "net.js": plugin("net") });
    const { tab: page } = await tab(t);
    await page.goto(served.url);
    await page.getByLabel("Token").fill("wrong");
    await page.keyboard.press("Enter");
    await page.getByText("The token was refused").waitFor();
    await page.getByLabel("Token").fill(token);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Plugins" }).waitFor();
    await page.reload();
    await page.getByText("1 of 1 running").waitFor();
  },
  NEEDS,
);

test(
  "it reconnects, and closes its stream on leaving",
  async (t) => {
    const { page: served, link, serve } = await paged(t, { "net.js": plugin("net") });
    const { tab: page, errors } = await tab(t);
    await page.goto(link);
    await page.getByText("Connected", { exact: true }).waitFor();
    await served.close();
    await page.getByText("Connection lost").waitFor();
    const second = await serve();
    await page.getByText("Connected", { exact: true }).waitFor();
    assert.is(await page.locator("[data-plugin]").count(), 1);
    await until(() => second.streams === 1, "its stream");
    await page.goto("about:blank");
    await until(() => second.streams === 0, "the stream's end");
    await page.goBack();
    await page.getByText("Connected", { exact: true }).waitFor();
    assert.equal(errors, []);
  },
  NEEDS,
);

test(
  "fifty plugins on 360 pixels, light and dark: nothing is cut off, and axe finds nothing serious",
  async (t) => {
    const names = Array.from({ length: 50 }, (_, at) => `network-driver-${at}`);
    const files = Object.fromEntries(names.map((name) => [`${name}.js`, plugin(name)]));
    // A dozen run; the others are stopped, for which the page has as long a card, and the machine no worker to start.
    const stopped = names.slice(0, 38).map((name) => [name, { enabled: false }]);
    const { link } = await paged(t, files, { policy: { plugins: Object.fromEntries(stopped) } });
    for (const colorScheme of ["light", "dark"] as const) {
      const { tab: page, errors } = await tab(t, { viewport: { width: 360, height: 780 }, colorScheme });
      await page.goto(link);
      await page.getByText("12 of 50 running").waitFor();
      await page.locator("canvas").first().waitFor({ timeout: 15_000 });
      const [width, wide] = await page
        .evaluate("[document.documentElement.scrollWidth, innerWidth]")
        .then(String)
        .then((text) => text.split(","));
      assert.is(width, wide);
      await page.evaluate(axe.source);
      const found = (await page.evaluate("axe.run()")) as {
        violations: { id: string; impact: string; nodes: { html: string }[] }[];
      };
      const serious = found.violations.filter(({ impact }) => impact === "serious" || impact === "critical");
      assert.equal(
        serious.map(({ id, nodes }) => [id, nodes[0]?.html]),
        [],
      );
      await page.getByRole("searchbox").fill("driver-49");
      assert.is(await page.locator("[data-plugin]:visible").count(), 1);
      assert.equal(errors, []);
      await page.context().close();
    }
  },
  { ...NEEDS, ms: 120_000 },
);

test.after(closeBrowser);
test.run();
