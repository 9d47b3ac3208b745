/** Class G: an attacker who owns the worker's realm, on the link's own port. Each attack is judged by `attack` (owned-host.ts). */
import { suite } from "../harness.js";
import { cases } from "./cases/class-g.js";
import { attack, type OwnedHost, ownedHost, unharmed } from "./owned-host.js";

const test = suite("hostile: class G, the raw port");

let shared: Promise<OwnedHost> | undefined;

for (const { item, title, attack: options, expected } of cases) {
  test(`${item}: ${title}`, async () => {
    shared ??= ownedHost();
    await attack(await shared, options, expected);
  });
}

test("the host closes, and nothing is left", async () => {
  const one = await shared;
  if (!one) throw new Error("no host");
  console.log(
    `\nNOTE class G: the neighbour's slowest create and delete during all attacks took ${Math.round(one.slowest())} ms`,
  );
  await one.close();
  unharmed(one);
  if (one.threads.live() !== 0) throw new Error(`${one.threads.live()} threads are alive`);
});

test.run();
