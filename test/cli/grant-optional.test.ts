/** `grant --set` for a permission that the manifest calls optional: with a limit, by name alone, and after a refusal. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { assert, suite, type TestContext } from "../harness.js";
import { CODE, cli, fill, type Ran } from "./cli.js";

const test = suite("cli/grant: optional permissions");

interface Place {
  run(...args: string[]): Promise<Ran>;
  /** What `ls` shows of the plugin. */
  shown(): Promise<{ readonly state: string; readonly permissions: Readonly<Record<string, unknown>> }>;
}

async function place(t: TestContext, manifest: object, policy: object = {}): Promise<Place> {
  const root = await t.folder();
  await fill(root, { "plugins/wires.js": CODE, "plugins/wires.plugin.json": JSON.stringify(manifest) });
  const file = join(root, "policy.json");
  await writeFile(file, JSON.stringify(policy));
  const run: Place["run"] = (...args) => cli([...args, "--policy", file, "--plugins", join(root, "plugins")]);
  return {
    run,
    shown: async () => ((await run("ls", "--json")).json().plugins as never[])[0] as never,
  };
}

/** The arguments of a printed line, up to the folders. */
function words(line: string | undefined): string[] {
  const all = (line ?? "").replaceAll("'", "").split(" ");
  assert.is(all[0], "bulkhead", line);
  return all.slice(1);
}

const FIREWALL = { permissions: { log: true }, optionalPermissions: { firewall: true } };

test("a limit of an optional permission grants the permission with it", async (t) => {
  const { run, shown } = await place(t, FIREWALL);
  const ran = await run("grant", "wires", "--set", "firewall.ports=8000-8999,443", "--json");
  assert.is(ran.exit, 0, ran.out);
  assert.equal(ran.json().grant, { scope: "local", log: true, firewall: { ports: ["8000-8999", "443"] } });
  assert.is((await shown()).state, "ready");
  // Granting again keeps it, without the option.
  assert.equal((await run("grant", "wires", "--json")).json().grant, ran.json().grant);
});

test("its name alone grants it as the manifest asks; without the option it is not granted, and the line is printed", async (t) => {
  const { run } = await place(t, { permissions: {}, optionalPermissions: { store: { bytes: 1000 }, random: true } });
  const plain = await run("grant", "wires");
  assert.not.match(plain.out, /permissions .*(store|random)/);
  const line = /store is not granted; to grant it: (bulkhead .*)$/m.exec(plain.out)?.[1];
  assert.match(line ?? "", / --set store$/);
  const ran = await run(...words(line).slice(0, 2), "--set", "store", "--set", "random", "--json");
  assert.equal(ran.json().grant, { scope: "local", store: { bytes: 1000 }, random: true });
});

test("the printed line of an optional permission names the bounds it needs, and works", async (t) => {
  const { run, shown } = await place(t, FIREWALL);
  const line = /firewall is not granted; to grant it: (bulkhead .*)$/m.exec((await run("grant", "wires")).out)?.[1];
  assert.match(line ?? "", / --set firewall\.ports=/);
  assert.is((await cli(words(line))).exit, 0, line);
  assert.is((await shown()).state, "ready");
});

test("a refusal repeats the options that were given, so that its line works", async (t) => {
  const manifest = { permissions: {}, optionalPermissions: { netlink: { kinds: ["veth"] } } };
  const { run, shown } = await place(t, manifest);
  const refused = await run("grant", "wires", "--set", "netlink.prefix=wi");
  assert.is(refused.exit, 1);
  const line = /for example: (bulkhead .*)$/m.exec(refused.err)?.[1];
  assert.match(line ?? "", / --set netlink\.prefix=wi --set netlink\.subnets=/);
  assert.is((await cli(words(line))).exit, 0, line);
  assert.is((await shown()).state, "ready");
});

test("a permission that the manifest does not name is refused, with those it names", async (t) => {
  const { run } = await place(t, FIREWALL);
  const refused = await run("grant", "wires", "--set", "store");
  assert.is(refused.exit, 2);
  assert.match(refused.err, /does not ask for it; it asks for log, firewall/);
});

test.run();
