/** The commands that ask a running host: each against a live one, for people and as JSON; no host; wrong use; hostile words. */

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CONTROL_COMMANDS } from "#dist/cli/control/commands.js";
import { EndpointConfig } from "#dist/index.js";
import { controlled } from "../../control/controlled.js";
import { assert, rejection, suite, type TestContext, until } from "../../harness.js";
import { row } from "../../kit/host.js";
import { plugin } from "../../kit/plugins.js";
import { cli, type Ran } from "../cli.js";

const test = suite("cli/control");

const HOSTILE = "\u001b[2Jred\n2026-11-30T00:00:00.000Z info  bulkhead: forged\u202e\u009b1A";
const SAFE = "\\u{1b}[2Jred\\n2026-11-30T00:00:00.000Z info  bulkhead: forged\\u{202e}\\u{9b}1A";
const NET = plugin("net", {
  start: "console.log('from init');",
  methods: `deleteNetwork: () => { console.log(${JSON.stringify(HOSTILE)}); throw new Error(${JSON.stringify(HOSTILE)}); },
    createEndpoint(_n, _e, info) { info.addInterface(0, "", "10.7.0.2/24", ""); },`,
});

async function place(t: TestContext) {
  const { host, home, client } = await controlled(t, { "net.js": NET, "bad.js": "export async function init() {}\n" });
  const driver = host.driver("net");
  await driver.createNetwork("net-0123456789", { label: "\u009b31m\u202e" });
  await driver.createEndpoint("net-0123456789", "end-0123456789", new EndpointConfig());
  const run = (...args: string[]): Promise<Ran> => cli([...args, "--data-dir", home.path("data")]);
  const lines = async (...args: string[]): Promise<Record<string, unknown>[]> => {
    const { out, exit, err } = await run(...args, "--json");
    assert.equal([exit, err], [0, ""]);
    return out
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  };
  return { host, driver, run, lines, client };
}

/** No control character but the newline at each line's end. */
function plain(ran: Ran): void {
  assert.not(/[^\P{C}\n]/u.test(ran.out + ran.err), JSON.stringify(ran));
}

test("ps: a row per plugin, a line of JSON per plugin", async (t) => {
  const { run, lines } = await place(t);
  const ran = await run("ps");
  assert.is(ran.exit, 0, ran.err);
  const [head = "", first = "", second = ""] = ran.out.split("\n");
  assert.match(head, /^ID +STATE +FOR +TYPES +PID +MEMORY +CPU +CALLS +ERRORS +P50 +P99 +RESTARTS$/);
  assert.match(first, /^bad +refused +\d+ s +- +- /);
  assert.match(second, /^net +running +\d+ s +net .* 2 +0 +[\d.]+ ms +[\d.]+ ms +0$/);
  plain(ran);
  assert.equal(
    (await lines("ps")).map(({ id, state }) => [id, state]),
    [
      ["bad", "refused"],
      ["net", "running"],
    ],
  );
});

test("status: the host, and all of one plugin on a screen, with its last errors and lines", async (t) => {
  const { run, driver, lines } = await place(t);
  await rejection(driver.deleteNetwork("net-0123456789"));
  await rejection(driver.deleteEndpoint("net-0123456789", "none"));
  const whole = await run("status");
  assert.match(whole.out, /^● bulkhead: ok, process \d+\n/);
  assert.match(whole.out, "\n  plugins   1 refused, 1 running\n");
  const one = await run("status", "net");
  assert.match(one.out, /^● net: running since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC \(\d+ s\)\n/);
  assert.match(one.out, "\n  calls     4, 0 in progress, 2 errors, 0 past their deadline\n");
  assert.match(one.out, `ERR_ENDPOINT_NOT_FOUND deleteEndpoint: `);
  assert.match(one.out, "\nLast lines:\n  ");
  assert.match(one.out, "[net] from init\n");
  plain(one);
  const bad = await run("status", "bad");
  assert.match(bad.out, /● bad: refused since/);
  assert.match(bad.out, /\n {2}why {7}ERR_PLUGIN_NO_DRIVER: /);
  const [json] = await lines("status", "net");
  assert.equal([json?.id, (json?.lastErrors as unknown[] | undefined)?.length], ["net", 2]);
});

test("logs and events: what is kept, of one plugin, after an id; a plugin's words forge no line", async (t) => {
  const { run, driver, lines } = await place(t);
  await driver.deleteEndpoint("net-0123456789", "end-0123456789");
  await rejection(driver.deleteNetwork("net-0123456789"));
  const ran = await run("logs", "net");
  plain(ran);
  const shown = ran.out.trimEnd().split("\n");
  assert.match(shown[0] ?? "", /^\d{4}-\d\d-\d\dT[\d:.]+Z info {2}\[net\] from init$/);
  assert.ok(
    shown.some((line) => line.endsWith(`[net] ${SAFE}`)),
    ran.out,
  );
  assert.not(shown.some((line) => line.startsWith("2026-11-30T00:00:00.000Z info  bulkhead: forged")));
  const all = await lines("logs", "net");
  assert.equal(
    all.map(({ plugin }) => plugin).filter((one) => one !== "net"),
    [],
  );
  const rest = await lines("logs", "net", "--since", String(all[0]?.id));
  assert.equal(rest, all.slice(1));
  assert.equal(await lines("logs", "net", "-n", "1"), all.slice(-1));
  await run("restart", "net");
  const events = await run("events");
  assert.match(events.out, /Z plugin:restarted net: restarted after: an operator restarted it\n$/);
});

test("logs and events: an id that is not one is wrong use, and one that the host did not give is not found", async (t) => {
  const { run, lines } = await place(t);
  const [first] = await lines("logs");
  const last = String((await lines("logs")).at(-1)?.id);
  const [of = ""] = last.split("-");
  for (const command of ["logs", "events"]) {
    for (const since of ["zzz", "10m", "17", `${last}x`, ""]) {
      const ran = await run(command, "--since", since);
      assert.equal([ran.exit, ran.out], [2, ""], since);
      assert.match(ran.err, /^error ERR_USAGE: --since is an event's id, as --json shows it \("9f1c03aa-17"\), not "/);
    }
    for (const [since, why] of [
      ["00000000-1", "the id is of an earlier run, or of another host"],
      [`${of}-999999`, `its last one is ${of}-`],
    ] as const) {
      const ran = await run(command, "--since", since);
      assert.equal([ran.exit, ran.out], [1, ""], since);
      assert.match(ran.err, `error ERR_EVENT_NOT_FOUND: the host has no event ${since}: ${why}`);
    }
    assert.equal(
      [(await run(command, "--since", last)).exit, (await run(command, "--since", String(first?.id))).exit],
      [0, 0],
    );
  }
});

test("-f goes on with what comes, and ends with 3 when the host ends", async (t) => {
  const { run, host, client } = await place(t);
  const followed = run("events", "-f", "--json");
  await client.ask("health");
  await run("restart", "net");
  await host.close();
  const ran = await followed;
  assert.is(ran.exit, 3);
  const lines = ran.out
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as { event?: string; ok?: false });
  assert.ok(
    lines.some(({ event }) => event === "plugin:restarted"),
    ran.out,
  );
  assert.is(lines.at(-1)?.ok, false);
});

test("networks, and inspect by an id or its beginning", async (t) => {
  const { run, lines, driver } = await place(t);
  const ran = await run("networks");
  assert.match(ran.out, /^NETWORK +TYPE +PLUGIN +PHASE +ENDPOINTS +LOST\nnet-0123456789 +net +net +live +1 +-\n$/);
  assert.is((await lines("networks"))[0]?.id, "net-0123456789");
  const network = await run("inspect", "net-0");
  plain(network);
  const shown = JSON.parse(network.out) as { kind: string; endpoints: { id: string }[] };
  assert.equal([shown.kind, shown.endpoints[0]?.id], ["network", "end-0123456789"]);
  assert.is((await lines("inspect", "end-0123456789"))[0]?.kind, "endpoint");
  assert.is((await lines("inspect", "net"))[0]?.kind, "plugin");
  await driver.createNetwork("x\n\u001b[2J\u202e");
  plain(await run("networks"));
  const json = await run("networks", "--json");
  plain(json);
  assert.match(json.out, '{"id":"x\\n\\u001b[2J\\u202e",');
  const none = await run("inspect", "none");
  assert.equal([none.exit, none.err.split("\n").length], [1, 2]);
});

test("restart, stop, start, reload, quarantine: the new state; an unknown plugin is one line", async (t) => {
  const { run, host, lines } = await place(t);
  const states = {
    restart: "running",
    stop: "stopped",
    start: "running",
    reload: "running",
    quarantine: "quarantined",
  };
  for (const [name, state] of Object.entries(states)) {
    const ran = await run(name, "net");
    assert.equal([ran.exit, ran.out, ran.err], [0, `net: ${state}\n`, ""]);
    assert.is(row(host, "net").state, state);
    const none = await run(name, "no\nsuch\u001b");
    assert.is(none.exit, 1);
    assert.match(
      none.err,
      /^error ERR_PLUGIN_NOT_FOUND: the host has no plugin "no\\nsuch\\u\{1b\}"; it has: bad, net\n$/,
    );
  }
  assert.equal((await lines("restart", "net"))[0]?.state, "running");
});

test("call: ids as text, options as JSON, the result", async (t) => {
  const { run, lines, client } = await place(t);
  assert.is((await run("call", "net", "createNetwork", "7", '{"mtu": 1400}')).out, "done\n");
  const network = (await client.ask("networks")).networks.find(({ id }) => id === "7");
  assert.equal(network?.options, { mtu: 1400 });
  const [made] = await lines("call", "net", "createEndpoint", "7", "e");
  assert.equal(made, { result: { interfaces: [{ id: 0, mac: "", ipv4: "10.7.0.2/24", ipv6: "" }] } });
  const failed = await run("call", "net", "deleteNetwork", "net-0123456789");
  assert.equal([failed.exit, failed.err.startsWith("error ERR_NETWORK_IN_USE: ")], [1, true]);
  const wrong = await run("call", "net", "createNetwork", "8", "{");
  assert.equal([wrong.exit, wrong.err.startsWith("error ERR_USAGE: argument 2 is not JSON")], [2, true]);
});

test("call: a mistake is wrong use, in the words of the command line, and nothing is sent", async (t) => {
  const { run, client } = await place(t);
  const usage = "write: bulkhead call net createNetwork NID [OPTIONS]";
  const mistakes: readonly (readonly [args: readonly string[], says: string])[] = [
    [
      ["creatNetwork", "n"],
      '"creatNetwork" is not a method of drivers; did you mean createNetwork? the methods are config,',
    ],
    [["toString"], '"toString" is not a method of drivers; the methods are config, createNetwork,'],
    [["createNetwork"], `createNetwork needs NID; ${usage}`],
    [["createEndpoint"], "createEndpoint needs NID and EID; write: bulkhead call net createEndpoint NID EID [OPTIONS]"],
    [["createNetwork", "n", "{}", "x"], `createNetwork takes 2 arguments at most, and 3 are given; ${usage}`],
    [
      ["createNetwork", "n", "mtu"],
      `argument 2 is "mtu"; options are a JSON object, such as '{"mtu": 1400}'; ${usage}`,
    ],
    [["createNetwork", "n", "[]"], `argument 2 is "[]"; options are a JSON object`],
    [["createNetwork", "{}"], `argument 1 is "{}"; nid is a text; ${usage}`],
  ];
  for (const [args, says] of mistakes) {
    const ran = await run("call", "net", ...args);
    assert.equal([ran.exit, ran.err.slice(0, 17 + says.length)], [2, `error ERR_USAGE: ${says}`]);
    assert.not.match(ran.err, "body");
  }
  assert.equal(
    (await client.ask("methods")).methods.map(({ method, calls }) => [method, calls]),
    [
      ["createNetwork", 1],
      ["createEndpoint", 1],
    ],
  );
});

test("a hundred plugins are a hundred rows, and a hundred lines", async (t) => {
  const files = Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`p${n}.plugin.json`, "{}"]));
  const { home } = await controlled(t, { ...files, "net.js": NET });
  const ran = await cli(["ps", "--data-dir", home.path("data")]);
  assert.is(ran.out.trimEnd().split("\n").length, 102);
  const json = await cli(["ps", "--json", "--data-dir", home.path("data")]);
  assert.is(json.out.trimEnd().split("\n").length, 101);
});

test("a plugin that hangs: the call is seen, the plugin is quarantined, and everything else answers", async (t) => {
  const code = plugin("slow", { methods: "createNetwork: () => { for (;;); }," });
  const { host, home } = await controlled(t, { "slow.js": code, "net.js": NET });
  const run = (...args: string[]): Promise<Ran> => cli([...args, "--data-dir", home.path("data")]);
  const stuck = rejection(host.driver("slow").createNetwork("n"));
  const seen = async (): Promise<boolean> => (await run("ps")).out.includes("(1 open)");
  await until(seen, "the call");
  assert.is((await run("quarantine", "slow")).out, "slow: quarantined\n");
  assert.match((await stuck).code ?? "", /^ERR_(OUTCOME_UNKNOWN|DRIVER_BUSY)$/);
  assert.match((await run("ps")).out, /\nnet +running/);
});

test("profile and heap: a file that is there is named at once, and stays", async (t) => {
  const { run } = await place(t);
  const file = join(await t.folder(), "old");
  await writeFile(file, "kept");
  for (const command of ["profile", "heap"]) {
    const ran = await run(command, "net", "--out", file, ...(command === "profile" ? ["--seconds", "60"] : []));
    assert.equal([ran.exit, ran.err], [2, `error ERR_USAGE: ${file} exists; name another file with --out\n`]);
  }
  assert.is(await readFile(file, "utf8"), "kept");
});

/** What each command is given; the others take a plugin's id. */
const ARGUMENTS: Readonly<Record<string, readonly string[]>> = {
  ...Object.fromEntries(["ps", "top", "status", "logs", "events", "networks"].map((name) => [name, []])),
  call: ["net", "config"],
  cluster: ["status"],
  shape: ["net", "--reset"],
};

test("no host: one line that says what to start, exit 3; wrong use: exit 2; help has an example and the exit codes", async (t) => {
  const folder = await t.folder();
  for (const name of CONTROL_COMMANDS) {
    const args = ARGUMENTS[name] ?? ["net"];
    const none = await cli([name, ...args, "--data-dir", folder]);
    assert.equal([none.exit, none.out], [3, ""], name);
    assert.match(none.err, /^error ERR_NO_DAEMON: no bulkhead host runs at .*; start one with: bulkhead serve .*\n$/);
    const json = await cli([name, ...args, "--control", `${folder}/none.sock`, "--json"]);
    assert.equal([json.exit, json.json().error?.code, json.out.split("\n").length], [3, "ERR_NO_DAEMON", 2]);
    const help = await cli([name, "--help"]);
    assert.match(help.out, `\nExample:\n  bulkhead ${name}`);
    assert.match(help.out, /\nExit codes: 0 done, 1 failed(?:, or [^,]+)?, 2 wrong use, 3 no host runs\.\n/);
    const wrong = await cli([name, ...args, "--nope"]);
    assert.is(wrong.exit, 2);
  }
});

test.run();
