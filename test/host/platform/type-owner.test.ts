/** A network type that has networks belongs to the plugin that made them, also after a restart, whichever plugin is loaded first. */
import { writeFile } from "node:fs/promises";
import { runProgram } from "#dist/cli/program.js";
import { assert, suite } from "../../harness.js";
import { type House, house, row, told } from "../../kit/host.js";
import { telling } from "../../kit/plugins.js";
import { linesOf } from "../audit/lines.js";

const test = suite("host: who a network type belongs to");

/** A plugin's folder whose driver of type `shared` tells `version`. */
const folder = (id: string, version: string): Record<string, string> => ({
  [`${id}/plugin.json`]: JSON.stringify({ networkTypes: ["shared"] }),
  [`${id}/index.js`]: telling("shared", version),
});

const open = (place: House) => place.open({ dataDir: place.path("data"), policy: place.path("policy.json") });

/** Plugin `first` has made a network of type `shared`; `second` stands beside it now. */
async function twoOfAType(t: Parameters<Parameters<typeof test>[1]>[0]): Promise<House> {
  const place = await house(t, folder("first", "1"));
  await writeFile(place.path("policy.json"), "{}");
  const host = await open(place);
  await host.driver("shared").createNetwork("kept", { "com.docker.network.generic": { secret: "first's" } });
  await host.close();
  return place;
}

test("after a restart, another plugin of the type is refused, also where it is the only one", async (t) => {
  const place = await twoOfAType(t);
  await place.drop("first");
  await place.put(folder("second", "2"));
  const host = await open(place);
  assert.is(row(host, "second").state, "refused");
  assert.match(row(host, "second").refusal?.message ?? "", /bulkhead grant second --take-type shared/);
  const refused = place.log.find(({ fields }) => fields.code === "ERR_TYPE_OWNED" && fields.driver === "shared");
  assert.is(refused?.fields.owner, "first", "the operator is told whose it is");
  assert.throws(
    () => host.driver("shared"),
    (error: { code?: string }) => error.code === "ERR_PLUGIN_UNAVAILABLE",
  );
  await host.close();
  const lines = await linesOf(place.path("data/audit.jsonl"));
  assert.ok(lines.some(({ event, code }) => event === "driver-refused" && code === "ERR_TYPE_OWNED"));
});

test(
  "its own plugin serves them, however often both are started together",
  async (t) => {
    const place = await twoOfAType(t);
    await place.put(folder("second", "2"));
    for (let round = 0; round < 3; round++) {
      const host = await open(place);
      assert.is(await told(host, "shared"), 1);
      assert.equal([row(host, "first").state, row(host, "second").state], ["running", "refused"]);
      await host.close();
    }
  },
  { ms: 60_000 },
);

test("on the operator's word another plugin takes the type over, and the audit log says so", async (t) => {
  const place = await twoOfAType(t);
  await place.drop("first");
  await place.put(folder("second", "2"));
  const said: string[] = [];
  const streams = { out: (text: string) => void said.push(text), err: (text: string) => void said.push(text) };
  const args = ["--policy", place.path("policy.json"), "--plugins", place.plugins];
  const wrong = await runProgram(["grant", "second", "--take-type", "other", ...args], streams, "0");
  assert.is(wrong, 2, said.join(""));
  assert.is(await runProgram(["grant", "second", "--take-type", "shared", ...args], streams, "0"), 0, said.join(""));
  const host = await open(place);
  assert.is(await told(host, "shared"), 2);
  await host.driver("shared").deleteNetwork("kept");
  await host.close();
  const lines = await linesOf(place.path("data/audit.jsonl"));
  assert.equal(
    lines.filter(({ event }) => event === "type-taken").map(({ plugin }) => plugin),
    ["second"],
  );
});

test("without networks a type is free for whichever plugin registers it", async (t) => {
  const place = await twoOfAType(t);
  const first = await open(place);
  await first.driver("shared").deleteNetwork("kept");
  await first.close();
  await place.drop("first");
  await place.put(folder("second", "2"));
  const host = await open(place);
  assert.is(await told(host, "shared"), 2);
});

test.run();
