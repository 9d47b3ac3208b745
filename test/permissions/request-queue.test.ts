/** Requests that wait for a hub: how many, and what a plugin is told when the platform cannot record them. */
import { DriverError } from "#dist/driverapi/errors.js";
import { type Asked, RequestQueue } from "#dist/permissions/request-queue.js";
import { storageFull } from "#dist/storage/errors.js";
import { assert, rejection, suite } from "../harness.js";

const test = suite("permissions: request queue");

function queue(max = 2): RequestQueue<Asked> {
  const failed = (plugin: string, op: string, why: string): DriverError =>
    new DriverError("ERR_NETLINK_FAILED", `netlink.${op}: ${why}`, { plugin });
  return new RequestQueue({ permission: "netlink", max, failed });
}

const asked = (plugin: string): Asked => ({ plugin, limits: {}, request: { op: "createLink" } });

test("an error of the data folder reaches a plugin without its path", async () => {
  const waiting = queue();
  const reply = rejection(waiting.add(asked("bridge")));
  waiting.reject(
    waiting.take((jobs) => jobs),
    storageFull("/var/lib/bulkhead", 0, 1),
  );
  const { code, message } = await reply;
  assert.is(code, "ERR_NETLINK_FAILED");
  assert.match(message, "could not record the change");
  assert.not(message.includes("/var/lib"), message);
});

test("a plugin may have so many waiting, and another one its own", async () => {
  const waiting = queue(2);
  const replies = [asked("a"), asked("a"), asked("b")].map((one) => waiting.add(one).catch((error: Error) => error));
  assert.is((await rejection(waiting.add(asked("a")))).code, "ERR_PERMISSION_LIMIT");
  waiting.reject(
    waiting.take((jobs) => jobs),
    "over",
  );
  assert.is((await Promise.all(replies)).length, 3);
});

test.run();
