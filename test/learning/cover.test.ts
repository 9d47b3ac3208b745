/** The networks of a learned grant: exactly the addresses that were used, in as few networks as there can be. */
import fc from "fast-check";
import { coverNetworks } from "#dist/learning/cover.js";
import { LEARNING } from "#dist/learning/limits.js";
import { assert, suite } from "../harness.js";

const test = suite("learning: networks");
const WIDEST = { 4: 8, 6: 32 } as const;

/** The addresses of the networks, which lie in 10.0.0.0/24. */
function addressesOf(networks: readonly string[]): readonly number[] {
  const all = networks.flatMap((text) => {
    const [address = "", prefix = ""] = text.split("/");
    const first = Number(address.split(".")[3]);
    return Array.from({ length: 2 ** (32 - Number(prefix)) }, (_, n) => first + n);
  });
  return [...new Set(all)].sort((a, b) => a - b);
}

/** A network in 10.0.0.0/24. */
const network = fc
  .tuple(fc.integer({ min: 26, max: 32 }), fc.integer({ min: 0, max: 255 }))
  .map(([prefix, at]) => `10.0.0.${at - (at % 2 ** (32 - prefix))}/${prefix}`);

test("any networks: the same addresses, none twice, and nothing left to join", () => {
  fc.assert(
    fc.property(fc.array(network, { minLength: 1, maxLength: 40 }), (texts) => {
      const cover = coverNetworks(texts, WIDEST);
      const covered = addressesOf(cover);
      assert.equal(covered, addressesOf(texts));
      assert.equal(coverNetworks(cover, WIDEST), cover);
      const size = cover.reduce((sum, text) => sum + 2 ** (32 - Number(text.split("/")[1])), 0);
      assert.is(size, covered.length);
    }),
  );
});

test("a chain of halves becomes one network, and no network is wider than allowed", () => {
  const chain = ["fd64::/128", ...Array.from({ length: 64 }, (_, n) => `${addressAt(n)}/${128 - n}`)];
  assert.equal(coverNetworks(chain, WIDEST), ["fd64::/64"]);
  assert.equal(coverNetworks(["10.0.0.0/9", "10.128.0.0/9", "11.0.0.0/8"], WIDEST), ["10.0.0.0/8", "11.0.0.0/8"]);
});

test("as many networks as are noted", () => {
  const texts = Array.from({ length: LEARNING.values }, (_, n) => `fd64::${(n * 2 + 1).toString(16)}/128`);
  assert.is(coverNetworks(texts, WIDEST).length, texts.length);
});

/** fd64:: with one of its last 64 bits set. */
function addressAt(bit: number): string {
  const groups = ["0", "0", "0", "0"];
  groups[3 - Math.floor(bit / 16)] = (2 ** (bit % 16)).toString(16);
  return `fd64:0:0:0:${groups.join(":")}`;
}

test.run();
