/** Names of links and MAC addresses: made of ids, unique, and the same after a restart. */
import fc from "fast-check";
import { hash64 } from "#dist/addressing/hash.js";
import type { Json } from "#dist/index.js";
import { endpointKey, LinkNames, macFor, type NameStore, storeKey } from "#dist/plugin-addressing.js";
import { assert, rejection, suite } from "../harness.js";

const test = suite("addressing: names");

/** A store that outlives workers. `refuse`: what `set` rejects with. */
function memory(refuse?: Error): NameStore & { readonly size: () => number } {
  const rows = new Map<string, Json>();
  return {
    get: async (key) => rows.get(key) ?? null,
    set: async (key, json) => {
      if (refuse) throw refuse;
      rows.set(key, json);
    },
    delete: async (key) => rows.delete(key),
    keys: async (prefix = "") => [...rows.keys()].filter((key) => key.startsWith(prefix)),
    size: () => rows.size,
  };
}

/** A prefix that leaves room for five characters of the hash, so that names collide. */
const LONG = "longname";

/** Two ids whose names are the same under {@link LONG}. */
function collision(): readonly [string, string] {
  const seen = new Map<string, string>();
  for (let n = 0; ; n++) {
    const id = `net${n}`;
    const digits = hash64(id).toString(36).padStart(13, "0").slice(-5);
    const other = seen.get(digits);
    if (other !== undefined) return [other, id];
    seen.set(digits, id);
  }
}

test("the hash is spread, and every character counts", () => {
  const seen = new Set<string>();
  for (let n = 0; n < 20_000; n++) seen.add(hash64(`network-${n}`).toString(36).slice(-11));
  assert.is(seen.size, 20_000);
  let flipped = 0;
  for (let n = 0; n < 500; n++) {
    const difference = hash64(`a${n}`) ^ hash64(`b${n}`);
    flipped += difference.toString(2).replaceAll("0", "").length;
  }
  assert.ok(Math.abs(flipped / 500 - 32) < 1, `${flipped / 500} of 64 bits change`);
});

test("keys tell endpoints of different networks apart, and fit into the store", () => {
  assert.is.not(endpointKey("ab", "c"), endpointKey("a", "bc"));
  const keys = new Set(["", "a", "b", "x".repeat(256), "ü/\u0000"].map(storeKey));
  assert.is(keys.size, 5);
  for (const key of keys) assert.match(key, /^[0-9a-f]{2,32}$/);
});

test("a name is the prefix, the role and a hash, at most 15 bytes, and the same in every worker", async () => {
  const store = memory();
  for (const prefix of ["b", "bh", LONG]) {
    const [one, two] = [await LinkNames.open(prefix, store), await LinkNames.open(prefix, store)];
    const names = await one.take("id", ["h", "c"]);
    assert.equal(await two.take("id", ["h", "c"]), names);
    for (const [index, role] of ["h", "c"].entries()) {
      assert.match(names[index] ?? "", new RegExp(`^${prefix}-${role}[0-9a-z]+$`));
      assert.ok((names[index] ?? "").length <= 15);
    }
  }
  assert.is(store.size(), 0);
});

test("colliding ids get names of their own, and keep them through restarts in any order", async () => {
  const ids = collision();
  const store = memory();
  const first = await LinkNames.open(LONG, store);
  const given = new Map<string, readonly string[]>();
  for (const id of ids) given.set(id, await first.take(id, ["b"]));
  assert.is.not(String(given.get(ids[0])), String(given.get(ids[1])));
  for (const order of [ids, [...ids].reverse()]) {
    const names = await LinkNames.open(LONG, store);
    for (const id of order) assert.equal(await names.take(id, ["b"]), given.get(id));
  }
  const last = await LinkNames.open(LONG, store);
  await last.forget(ids[1], await last.take(ids[1], ["b"]));
  assert.is(store.size(), 0, "a deleted id's salt");
});

test("names taken at once, released and forgotten: no two ids have one", async () => {
  const [one, two] = collision();
  const step = fc.tuple(fc.constantFrom("take", "release", "forget", "restart"), fc.constantFrom(one, two));
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const store = memory();
      let names = await LinkNames.open(LONG, store);
      const held = new Map<string, readonly string[]>();
      for (const [what, id] of steps) {
        const has = held.get(id);
        if (what === "restart") {
          names = await LinkNames.open(LONG, store);
          for (const [id, before] of held) assert.equal(await names.take(id, ["b"]), before);
        } else if (what === "take" && !has) held.set(id, await names.take(id, ["b"]));
        else if (what !== "take" && has) {
          if (what === "release") names.release(has);
          else await names.forget(id, has);
          held.delete(id);
        }
        assert.is(new Set([...held.values()].flat()).size, held.size);
      }
    }),
  );
});

test("a salt that the store refuses leaves nothing taken", async () => {
  const [one, two] = collision();
  const names = await LinkNames.open(LONG, memory(new Error("the store is full")));
  const [first = ""] = await names.take(one, ["b"]);
  assert.match((await rejection(names.take(two, ["b"]))).message, /the store is full/);
  assert.equal(names.leftBy(two, ["b"]), []);
  names.release([first]);
  assert.equal(await names.take(two, ["b"]), [first]);
});

test("what an earlier worker may have left excludes the names in use", async () => {
  const names = await LinkNames.open("bh", memory());
  const expected = names.leftBy("id", ["h", "c"]);
  assert.is(expected.length, 2);
  assert.equal(await names.take("id", ["h", "c"]), expected);
  assert.equal(names.leftBy("id", ["h", "c"]), []);
});

test("a MAC address is libnetwork's for IPv4, and local, unicast and hashed without it", () => {
  assert.is(macFor("10.64.0.2/24", "ignored"), "02:42:0a:40:00:02");
  const seen = new Set(Array.from({ length: 1000 }, (_, n) => macFor("", `fd64::${n}`)));
  assert.is(seen.size, 1000);
  for (const mac of seen) assert.match(mac, /^06(:[0-9a-f]{2}){5}$/);
  assert.is(macFor("", "a"), macFor("", "a"));
});

test.run();
