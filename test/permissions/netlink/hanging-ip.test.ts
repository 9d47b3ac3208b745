/** An `ip` that hangs holds up the look it was started for, and nothing else in the platform's process. */
import { IpRunner } from "#dist/permissions/netlink/kernel/ip.js";
import { KernelBackend } from "#dist/permissions/netlink/kernel/kernel-backend.js";
import { assert, rejection, suite } from "../../harness.js";

const test = suite("permissions/netlink/hanging-ip");

test("timers have their turn while ip takes its time", async (t) => {
  const backend = new KernelBackend(new IpRunner(["/bin/sh", "-c", "sleep 1; exit 1"], undefined), undefined);
  let turns = 0;
  const timer = setInterval(() => turns++, 10);
  t.cleanup(() => clearInterval(timer));
  const error = await rejection(Promise.resolve().then(() => backend.readSnapshot()));
  assert.is(error.code, "ERR_NETLINK_FAILED");
  assert.ok(turns > 5, `the loop turned ${turns} times in a second`);
});

test.run();
