/** plugins/README.md: its code runs, and its tables say what the code says. */
import { execFile } from "node:child_process";
import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { BUNDLER } from "#dist/bundler/limits.js";
import { RESTARTS } from "#dist/common/limits.js";
import { HOST } from "#dist/host/limits.js";
import { EndpointConfig, ERROR_CODES, ERROR_STATUS } from "#dist/index.js";
import { PERMISSIONS } from "#dist/permissions/catalogue.js";
import * as addressing from "#dist/plugin-addressing.js";
import { DEFAULTS } from "#dist/policy/limits.js";
import { LIMITS } from "#dist/protocol/limits.js";
import { createTestHost } from "#dist/testing.js";
import { assert, rejection, suite } from "../harness.js";
import { house, REPO, row } from "../kit/host.js";
import { driver, plugin } from "../kit/plugins.js";

const test = suite("plugins/README.md");
const run = promisify(execFile);
/** Without the spaces that align its tables. */
const readme = readFile(join(REPO, "plugins/README.md"), "utf8").then((text) => text.replaceAll(/ {2,}\|/g, " |"));

/** A code block by the name in the comment ahead of it. */
async function block(name: string): Promise<string> {
  const found = (await readme).split(`<!-- test: ${name} -->`)[1] ?? "";
  return /```\w+\n([\s\S]*?)```/.exec(found)?.[1] ?? "";
}

/** The rows of a table, below the heading, as lists of cells. */
async function table(heading: string): Promise<string[][]> {
  const section = (await readme).split(`## ${heading}\n`)[1]?.split("\n## ")[0] ?? "";
  const rows = section.split("\n").filter((line) => line.startsWith("| "));
  return rows.slice(2).map((line) =>
    line
      .slice(1, -1)
      .split("|")
      .map((cell) => cell.trim()),
  );
}

const words = (text: string | undefined): string[] =>
  [...(text ?? "").matchAll(/`([^`]+)`/g)].map(([, word = ""]) => word);

test("ten minutes: the file checks, and the script prints what it says", async (t) => {
  const folder = await t.folder();
  await mkdir(join(folder, "node_modules"));
  await symlink(REPO, join(folder, "node_modules/bulkhead"));
  await mkdir(join(folder, "plugins"));
  assert.match(await readme, /echo '\{\}' > bulkhead\.config\.json/);
  await writeFile(join(folder, "bulkhead.config.json"), "{}\n");
  await writeFile(join(folder, "plugins/greet.ts"), await block("greet.ts"));
  await writeFile(join(folder, "try.mjs"), await block("try.mjs"));
  const check = await run(process.execPath, [join(REPO, "dist/cli/main.js"), "check", "plugins/greet.ts"], {
    cwd: folder,
  });
  assert.match(check.stdout, /registered {3}greet \(local\)/);
  const { stdout } = await run(process.execPath, ["try.mjs"], { cwd: folder });
  assert.is(stdout, "{ address: '10.50.0.2/24' }\n");
});

test(
  "the grants that the page and the message print work at the first try",
  async (t) => {
    const folder = await t.folder();
    const text = await readme;
    const line = /^npx (bulkhead grant greet .*)$/m.exec(text)?.[1] ?? "";
    const files = { "greet.ts": await block("greet.ts"), "greet.plugin.json": await block("greet.plugin.json") };
    await mkdir(join(folder, "plugins"));
    for (const [name, content] of Object.entries(files)) await writeFile(join(folder, "plugins", name), content);
    await writeFile(join(folder, "bulkhead.config.json"), "{}\n");
    const cli = (...args: readonly string[]): Promise<{ stdout: string }> =>
      run(process.execPath, [join(REPO, "dist/cli/main.js"), ...args], { cwd: folder });
    const waiting = (await cli("ls")).stdout;
    assert.match(waiting, /^greet .*awaiting-grant$/m);
    const printed = /to grant it: (bulkhead grant greet .*)$/m.exec(waiting)?.[1] ?? "";
    for (const one of [line, printed]) {
      await writeFile(join(folder, "bulkhead.config.json"), "{}\n");
      await cli(...one.split(" ").slice(1));
      assert.match((await cli("ls")).stdout, /^greet .*netlink.* ready$/m, one);
    }
  },
  { ms: 60_000 },
);

test("the manifest's fields are the schema's", async () => {
  const schema = JSON.parse(await readFile(join(REPO, "dist/schemas/plugin.schema.json"), "utf8")) as {
    properties: object;
  };
  const fields = (await table("The manifest")).map(([field]) => words(field)[0]);
  assert.equal([...fields].sort(), Object.keys(schema.properties).sort());
});

test("permissions, with their limits and defaults: all that every plugin has, and none there is not", async () => {
  const rows = await table("What there is");
  const names = rows.map(([name]) => words(name)[0] ?? "");
  const harmless = Object.entries(PERMISSIONS).flatMap(([name, row]) => (row.harmless ? [name] : []));
  assert.equal(
    harmless.filter((name) => !names.includes(name)),
    [],
  );
  for (const [index, name] of names.entries()) {
    assert.ok(Object.hasOwn(PERMISSIONS, name), name);
    const defaults = PERMISSIONS[name as keyof typeof PERMISSIONS].defaults as Record<string, number>;
    const limits = [...(rows[index]?.[3] ?? "").matchAll(/`(\w+)` (\d+)/g)];
    assert.equal(Object.fromEntries(limits.map(([, key, value]) => [key, Number(value)])), { ...defaults });
  }
});

test("kinds, and codes that a driver may throw", async (t) => {
  const kinds = (await table("Errors")).map(([kind, status]) => [words(kind)[0], Number(status)]);
  assert.equal(kinds, Object.entries(ERROR_STATUS));
  const named = [
    ...((await readme).split("You may also throw")[1]?.split("Any other code")[0] ?? "").matchAll(/`(ERR_\w+)`/g),
  ];
  assert.ok(named.length > 8);
  const place = await house(t, {
    "a.js": plugin("a", {
      methods: "createNetwork(nid) { throw Object.assign(new Error('mine'), JSON.parse(nid)); },",
    }),
  });
  const host = await place.open();
  const thrown = (what: object): ReturnType<typeof rejection> =>
    rejection(host.driver("a").createNetwork(JSON.stringify(what)));
  for (const [, code = ""] of named) {
    const { kind } = ERROR_CODES[code as keyof typeof ERROR_CODES];
    const error = await thrown({ code });
    assert.equal([error.code, error.kind, error.message], [code, kind, "mine"]);
  }
  for (const [kind, status] of kinds) {
    const error = await thrown({ kind });
    assert.equal(
      [error.code, error.kind, error.status, error.file, error.line],
      ["ERR_DRIVER_FAILED", kind, status, "a.js", 7],
    );
  }
  const forged = await thrown({ code: "ERR_HOST_CLOSED" });
  assert.equal([forged.code, forged.kind], ["ERR_DRIVER_FAILED", "Internal"]);
});

test("numbers are the limits'", async () => {
  const text = await readme;
  const mib = 1_048_576;
  for (const [said, is] of [
    ["A call has 5 s", DEFAULTS.callMs === 5000],
    ["`init` has 3 s", DEFAULTS.initMs === 3000],
    ["`memoryMb` (32), `drivers` (8)", DEFAULTS.memoryMb === 32 && DEFAULTS.drivers === 8],
    ["1 MiB; 16 MiB; 4000", BUNDLER.fileBytes === mib && BUNDLER.inputBytes === 16 * mib && BUNDLER.files === 4000],
    ["| the bundle | 8 MiB |", BUNDLER.outputBytes === 8 * mib && BUNDLER.atOnce > 0],
    ["512 Ki characters", LIMITS.optionsChars === 512 * 1024],
    ["256; 1024 |", LIMITS.interfaces === 256 && LIMITS.routes === 1024],
    ["4096 characters", LIMITS.messageChars === 4096],
    ["| unanswered requests to the host | 256 |", LIMITS.requestsOpen === 256],
    ["five crashes in a minute", HOST.breakerCrashes === 5 && RESTARTS.windowMs === 60_000],
    ["half a minute", RESTARTS.openMs === 30_000],
  ] as const) {
    assert.ok(text.includes(said), `it says: ${said}`);
    assert.ok(is, said);
  }
});

test("each message it shows is the one that is given", async (t) => {
  const shown = (await readme).split("## When it does not load")[1] ?? "";
  const place = await house(t, {
    "a.js": "\n\n\n\n\n\n  const x = ;",
    "b/plugin.json": '{ "main": "src/pool.ts" }',
    "b/src/pool.ts": '// pool\nimport ipaddr from "ipaddr.js";\nexport const init = ipaddr;',
    "c.js": '\nexport async function init(c) {\n  await c.registerDriver("c", { type: () => "c" }, {});\n}',
    "d.js": plugin("d"),
    "d.plugin.json": '{\n  "permisions": {}\n}',
  });
  const host = await place.open();
  for (const id of ["a", "b", "c", "d"]) {
    const { code, message } = row(host, id).refusal ?? {};
    const text = `${code}: ${message}`
      .replaceAll(`${place.plugins}/`, "plugins/")
      .replaceAll(new RegExp(`\\b${id}(\\.js|\\.plugin)`, "g"), "greet$1")
      .replaceAll(`"${id}"`, '"greet"')
      .replace(/known keys: .*\)/, "known keys: …)");
    assert.ok(shown.includes(text), text);
  }
});

test("a bare file may import itself, packages and bulkhead/plugin; a folder, its files", async (t) => {
  const place = await house(t, {
    "node_modules/left/index.js": "module.exports = 7;",
    "node_modules/left/package.json": '{ "main": "index.js" }',
    "one.js": `import left from "left";\nimport { LocalScope } from "bulkhead/plugin";\n${plugin("one")}\nexport { left, LocalScope };`,
    "two.js": `import { helper } from "./helper.js";\n${plugin("two")}\nexport { helper };`,
    "helper.js": "export const helper = 1;",
  });
  const host = await place.open();
  assert.is(row(host, "one").state, "running", row(host, "one").refusal?.message);
  assert.is(row(host, "two").refusal?.code, "ERR_PLUGIN_IMPORT");
  assert.match(row(host, "two").refusal?.message ?? "", /may load only itself, node_modules and "bulkhead\/plugin"/);
});

test("every export of bulkhead/plugin/addressing is in the table, and nothing else", async () => {
  const named = (await table("Addresses and names")).flatMap(([exports = ""]) =>
    words(exports).map((word) => /^(?:new )?(\w+)/.exec(word)?.[1] ?? ""),
  );
  assert.equal([...named, "SUBNET_KEYS"].sort(), Object.keys(addressing).sort());
});

test("the store survives restarts and reloads, and ends with the host", async (t) => {
  const place = await house(t, {
    "a.js": `export async function init(callback, { store }) {
      await store.set("starts", ((await store.get("starts")) ?? 0) + 1);
      await callback.registerDriver("a", ${driver("a", 'endpointOperInfo: async () => ({ starts: await store.get("starts") }),')}, { scope: "local" });
    }`,
  });
  const host = await place.open();
  await host.reload("a");
  const served = host.driver("a");
  await served.createNetwork("n");
  await served.createEndpoint("n", "e", new EndpointConfig());
  assert.equal(await served.endpointOperInfo("n", "e"), { starts: 2 });
  await host.close();
  const second = (await place.open()).driver("a");
  await second.createNetwork("n");
  await second.createEndpoint("n", "e", new EndpointConfig());
  assert.equal(await second.endpointOperInfo("n", "e"), { starts: 1 });
});

test("what an endpoint's object refuses is thrown at the driver; what the host refuses is rolled back", async (t) => {
  const place = await house(t, {
    "a.js": plugin("a", {
      start: "const calls = [];",
      methods: `createEndpoint(nid, eid, epInfo, options) {
        calls.push("create");
        try { epInfo.addInterface(0, "", options.address, ""); } catch (error) { calls.push(error.code); throw error; }
      },
      deleteEndpoint() { calls.push("delete"); },
      deleteNetwork() { throw new Error(calls.join()); },`,
    }),
  });
  const served = (await place.open()).driver("a");
  await served.createNetwork("n");
  const create = (address: string): ReturnType<typeof rejection> =>
    rejection(served.createEndpoint("n", "e", new EndpointConfig(), { address }));
  assert.is((await create("nonsense")).code, "ERR_BAD_ADDRESS");
  const loopback = await create("127.0.0.1/8");
  assert.is(loopback.code, "ERR_DRIVER_REPLY");
  assert.match(loopback.message, /127\.0\.0\.1\/8 is a loopback address.*; rolled back$/);
  const calls = (await rejection(served.deleteNetwork("n"))).message;
  assert.is(calls, "create,ERR_BAD_ADDRESS,create,delete");
});

test("the network: what its example asks of a firewall is given, and listed as it says", async (t) => {
  const folder = join(await t.folder(), "plugin");
  await mkdir(folder);
  await writeFile(join(folder, "gates.ts"), await block("gates.ts"));
  await writeFile(
    join(folder, "index.ts"),
    `import { openGates } from "./gates.ts";
export async function init(callback, powers) {
  await powers.netlink.createLink({ kind: "bridge", name: "bh-b" });
  await powers.netlink.addAddress("bh-b", "10.64.1.1/24");
  await openGates(powers.firewall, "bh-b");
  await callback.registerDriver("plugin", ${driver("plugin")}, { scope: "local" });
}`,
  );
  await writeFile(
    join(folder, "plugin.json"),
    JSON.stringify({ networkTypes: ["plugin"], permissions: { log: true, netlink: true, firewall: true } }),
  );
  const lines: string[] = [];
  const hear = (_: object, text: string): void => void lines.push(text);
  const host = await createTestHost({ plugin: folder, logger: { debug: hear, info: hear, warn: hear, error: hear } });
  t.cleanup(() => host.close());
  assert.ok(
    lines.some((line) => line.includes("isolate") && line.includes("masquerade") && !line.includes("publish")),
    lines.join(),
  );
});

test.run();
