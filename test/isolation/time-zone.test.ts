/** Behind bubblewrap a plugin's dates are in UTC, whatever the platform's time zone; in a thread of the platform's they are in that. */
import { assert, suite } from "../harness.js";
import { house, told } from "../kit/host.js";
import { telling } from "../kit/plugins.js";
import { noBubblewrap } from "./walled.js";

const test = suite("isolation: time zone");

/** Minutes from local time to UTC. */
const OFFSETS = { thread: -330, process: 0, dedicated: 0 } as const;

for (const [isolation, offset] of Object.entries(OFFSETS) as [keyof typeof OFFSETS, number][])
  test(
    `${isolation}: ${offset}`,
    async (t) => {
      const before = process.env.TZ;
      t.cleanup(() => {
        if (before === undefined) delete process.env.TZ;
        else process.env.TZ = before;
      });
      process.env.TZ = "Asia/Kolkata";
      const { open } = await house(t, { "a.js": telling("a", "new Date(0).getTimezoneOffset()") });
      assert.is(await told(await open({ isolation }), "a"), offset);
    },
    { needs: isolation === "thread" ? undefined : noBubblewrap },
  );

test.run();
