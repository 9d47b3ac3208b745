/** What an operator knows already is not said again with every change of the policy; what is new, or comes back, is. */
import { writeFile } from "node:fs/promises";
import { assert, suite } from "../../harness.js";
import { house, next } from "../../kit/host.js";
import { plugin } from "../../kit/plugins.js";
import { linesOf } from "../audit/lines.js";

const test = suite("host: said once");

const FILES = {
  "first.js": plugin("first"),
  "waits.js": plugin("waits"),
  "waits.plugin.json": '{ "permissions": { "netlink": { "kinds": ["bridge"] } } }',
  "broken.js": "export const = 1;",
  // A type that another plugin has: the driver is refused, and with it the plugin.
  "second.js": plugin("first"),
  "second.plugin.json": '{ "networkTypes": ["first"] }',
};

test("three changes of the policy that change nothing for a plugin: one line in the log and the audit log", async (t) => {
  const place = await house(t, FILES);
  const file = place.path("policy.json");
  let changes = 0;
  const change = (): Promise<void> => writeFile(file, JSON.stringify({ plugins: { [`other-${changes++}`]: {} } }));
  await change();
  const host = await place.open({ policy: file, dataDir: place.path("data"), watch: true });
  const refused = (name: string): Promise<unknown> =>
    next(host, name === "waits" ? "plugin:awaiting-grant" : "plugin:refused", ({ plugin }) => plugin === name);
  const bad = (): readonly string[] =>
    place.log.filter(({ level }) => level === "warn" || level === "error").map(({ text }) => text);
  const before = bad();
  for (const says of [
    /waits.* asks for netlink/,
    /broken\.js:1:14/,
    /^Driver already registered/,
    /second.*init threw/,
  ])
    assert.is(before.filter((text) => says.test(text)).length, 1, `${says} in\n${before.join("\n")}`);
  for (let n = 0; n < 3; n++) {
    const events = ["waits", "broken", "second"].map(refused);
    await change();
    await Promise.all(events);
  }
  assert.equal(bad(), before, "nothing is said again");

  const broken = refused("broken");
  await place.put({ "broken.js": "export const a = ;" });
  await broken;
  assert.match(bad().at(-1) ?? "", /broken\.js:1:18/);
  const second = refused("second");
  await place.put({ "second.js": plugin("first", { start: "null;" }) });
  await second;
  assert.equal(bad().filter((text) => text.startsWith("Driver already registered")).length, 2, "other bytes are news");
  await host.close();
  const lines = (await linesOf(place.path("data/audit.jsonl"))).filter(({ event }) => event === "driver-refused");
  assert.is(lines.length, 2);
});

test.run();
