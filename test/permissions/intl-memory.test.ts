/** What the engine keeps for `Intl` lies outside the worker's heap limit: few of its formatters live, however many a plugin has. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { assert, suite } from "../harness.js";

const test = suite("permission intl: memory");
const made: Array<WeakRef<object>> = [];

class Counted extends Intl.NumberFormat {
  constructor(...args: ConstructorParameters<typeof Intl.NumberFormat>) {
    super(...args);
    made.push(new WeakRef(this));
  }
}
Object.defineProperty(Intl, "NumberFormat", { value: Counted });
const { endow } = await import("#dist/permissions/intl/worker.js");
setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

test("the formatters of the engine's that live are few, and one let go is made again", async () => {
  const own = endow(Date).globals?.Intl as typeof Intl;
  const kept = Array.from(
    { length: 400 },
    (_, n) => new own.NumberFormat("de", { minimumIntegerDigits: 1 + (n % 20), maximumFractionDigits: n % 19 }),
  );
  assert.is(made.length, kept.length);
  await new Promise((resolve) => setImmediate(resolve));
  collect();
  const alive = made.filter((one) => one.deref() !== undefined).length;
  assert.ok(alive <= 32, `${alive} are alive`);
  assert.is(kept[0]?.format(1.5), "2");
  assert.is(kept[21]?.format(1.5), "01,5");
});

test("the same again is the same one of the engine's", () => {
  const own = endow(Date).globals?.Intl as typeof Intl;
  made.length = 0;
  for (let n = 0; n < 50; n++) new own.NumberFormat("fr", { style: "percent" }).format(0.5);
  assert.is(made.length, 1);
});

test.run();
