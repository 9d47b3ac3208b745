/** In a host process a plugin's dates are in UTC behind every wall, whatever the machine's time zone; in a thread they are in the platform's. */
import { readFile } from "node:fs/promises";
import type { PluginHost } from "#dist/index.js";
import { assert, suite, type TestContext } from "../harness.js";
import { house, row, told } from "../kit/host.js";
import { telling } from "../kit/plugins.js";
import { noBubblewrap } from "./walled.js";

const test = suite("isolation: time zone");

/** Returns the minutes from local time to UTC that a plugin sees, on a platform in India. */
async function offset(
  t: TestContext,
  isolation: "thread" | "process" | "dedicated",
  sandbox: "bubblewrap" | "node" | "none" = "bubblewrap",
): Promise<{ readonly host: PluginHost; readonly minutes: unknown }> {
  const before = process.env.TZ;
  t.cleanup(() => {
    if (before === undefined) delete process.env.TZ;
    else process.env.TZ = before;
  });
  process.env.TZ = "Asia/Kolkata";
  const { open } = await house(t, { "a.js": telling("a", "new Date(0).getTimezoneOffset()") });
  const host = await open({ isolation, policy: { sandbox } });
  return { host, minutes: await told(host, "a") };
}

test("thread: the platform's", async (t) => {
  assert.is((await offset(t, "thread")).minutes, -330);
});

for (const isolation of ["process", "dedicated"] as const)
  test(
    `${isolation}, behind bubblewrap: UTC`,
    async (t) => {
      assert.is((await offset(t, isolation)).minutes, 0);
    },
    { needs: noBubblewrap },
  );

// The machine may be in UTC itself, so its own /etc/localtime proves nothing: the process is asked what it was started with.
for (const sandbox of ["node", "none"] as const)
  test(`process, sandbox "${sandbox}": UTC`, async (t) => {
    const { host, minutes } = await offset(t, "process", sandbox);
    assert.is(minutes, 0);
    const { pid } = row(host, "a");
    assert.ok(pid);
    const environment = (await readFile(`/proc/${pid}/environ`, "utf8")).split("\0");
    assert.ok(environment.includes("TZ=UTC"), environment.join(" "));
  });

test.run();
