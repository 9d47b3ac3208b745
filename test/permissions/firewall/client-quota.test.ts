/** The bounds of the port holder: what a flood on one port takes from others, and what a lack of descriptors does. */
import { type Client, ClientQuota, type Group } from "#dist/permissions/firewall/holder/client-quota.js";
import { assert, suite } from "../../harness.js";

const test = suite("permissions/firewall/client-quota");

/** Clients that take a place; those evicted. */
function house(perPort: number, all: number) {
  const quota = new ClientQuota(perPort, all);
  const gone: string[] = [];
  const come = (group: Group, name: string, evict = false): boolean => {
    if (!quota.room(group, evict)) return false;
    const client: Client = {
      end() {
        gone.push(name);
        quota.remove(group, client);
      },
    };
    quota.add(group, client);
    return true;
  };
  return { quota, gone, come };
}

test("a full port refuses a new connection, and ends none; of UDP clients the one idle longest makes room", () => {
  const { quota, gone, come } = house(2, 10);
  const port = quota.open();
  assert.ok(come(port, "a"));
  assert.ok(come(port, "b"));
  assert.not(come(port, "c"));
  assert.equal(gone, []);
  const [a] = port;
  if (a) quota.touch(port, a);
  assert.ok(come(port, "d", true));
  assert.equal(gone, ["b"]);
});

test("a flood on one port fills the house, and still each other port has its part", () => {
  const { quota, gone, come } = house(100, 10);
  const [flooded, quiet] = [quota.open(), quota.open()];
  for (let n = 0; n < 50; n++) come(flooded, `flood ${n}`);
  assert.is(flooded.size, 10);
  for (let n = 0; n < 50; n++) come(quiet, `quiet ${n}`);
  assert.ok(quiet.size >= 4, `${quiet.size} clients of the quiet port`);
  assert.ok(gone.every((name) => name.startsWith("flood")));
  quota.close(flooded);
  assert.is(flooded.size, 0);
  for (let n = 0; n < 50; n++) come(quiet, `late ${n}`);
  assert.is(quiet.size, 10);
});

test.run();
