/** `bulkhead serve` on a machine whose network stands in its way: told once with the command, told when it is fixed. */
import { execFileSync, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { watchNetwork } from "#dist/cli/serve/network-watch.js";
import type { CheckResult } from "#dist/doctor/check-result.js";
import { type Json, run } from "../doctor/doctor.js";
import { assert, suite, until } from "../harness.js";
import { noBubblewrap } from "../isolation/walled.js";
import { REPO } from "../kit/host.js";
import { noKernel } from "../permissions/netlink/backends.js";

const test = suite("cli: the machine's network");

const TIMES = { checkMs: 5, recheckMs: 5 };

function result(holds: "yes" | "no", fix: string | null): CheckResult {
  return { name: "machine.accept4", tries: "check", demanded: true, holds, evidence: "it drops", fix };
}

test("serve warns once with the exact command, again when the command changes, and says when it is fixed", async (t) => {
  const said: string[] = [];
  const note =
    (level: string) =>
    (_: unknown, text?: string): void => {
      said.push(`${level} ${text}`);
    };
  const logger = { debug: note("debug"), info: note("info"), warn: note("warn"), error: note("error") };
  let now = result("no", "command 1");
  let checked = 0;
  const check = async (): Promise<readonly CheckResult[]> => {
    checked++;
    return [now];
  };
  t.cleanup(watchNetwork({ policy: "unused", netns: undefined, logger, check, times: TIMES }));
  await until(() => said.length === 1, "a warning");
  const seen = checked;
  await until(() => checked > seen + 3, "further checks");
  now = result("no", "command 2");
  await until(() => said.length === 2, "a second warning");
  now = result("yes", null);
  await until(() => said.length === 3, "that it is fixed");
  assert.equal(said, [
    "warn machine.accept4: it drops; to fix it: command 1",
    "warn machine.accept4: it drops; to fix it: command 2",
    "info machine.accept4: it is fixed",
  ]);
});

test("what the daemon itself fixes between two checks is not reported", async (t) => {
  const said: string[] = [];
  const note = (_: unknown, text?: string): void => {
    said.push(text ?? "");
  };
  let checked = 0;
  const check = async (): Promise<readonly CheckResult[]> => [result(checked++ === 0 ? "no" : "yes", "command")];
  const logger = { debug: note, info: note, warn: note, error: note };
  t.cleanup(watchNetwork({ policy: "unused", netns: undefined, logger, check, times: TIMES }));
  await until(() => checked > 4, "five checks");
  assert.equal(said, []);
});

test(
  "doctor --netns: exit 1 where a granted firewall finds what it needs missing, 0 where no firewall is granted",
  async (t) => {
    const netns = `bht-${randomBytes(4).toString("hex")}`;
    execFileSync("ip", ["netns", "add", netns]);
    t.cleanup(() => execFileSync("ip", ["netns", "delete", netns]));
    const nft = (...args: string[]): void => void execFileSync("ip", ["netns", "exec", netns, "nft", ...args]);
    nft("add table inet mine; add chain inet mine passing { type filter hook forward priority 0; policy drop; }");
    const folder = await t.folder();
    const policy = async (firewall: boolean): Promise<string> => {
      const file = join(folder, `${firewall}.json`);
      const grant = firewall ? { firewall: { ports: ["80"] } } : {};
      await writeFile(file, JSON.stringify({ plugins: { bridge: { grant } } }));
      return file;
    };
    const told = await run(await policy(true), false, undefined, netns);
    assert.is(told.exit, 1);
    assert.match(told.out, "the firewall that the policy grants does not work here: machine.other-chains");
    assert.match(
      told.out,
      `nsenter --net=/run/netns/${netns} nft insert rule inet mine passing meta mark and 0x20000000 == 0x20000000 accept`,
    );
    const free = await run(await policy(false), true, undefined, netns);
    const { ok, checks, network } = JSON.parse(free.out) as Json;
    const found = network.find(({ name }) => name === "machine.other-chains");
    assert.equal([found?.holds, found?.demanded], ["no", false]);
    // Walls fall by themselves on a machine that is busy; the network alone makes no failure.
    assert.is(ok, !checks.some(({ demanded, holds }) => demanded && holds === "no"));
    assert.match((await run(await policy(true), false, undefined, "no-such-box")).err, '"no-such-box" does not exist');
  },
  { needs: noKernel ?? noBubblewrap, ms: 60_000 },
);

test(
  "serve without root does not serve a model that nobody asked for: exit 1, and how to ask",
  async (t) => {
    const folder = await t.folder();
    const serve = [join(REPO, "dist/cli/main.js"), "serve", "--plugins", folder, "--docker-dir", folder];
    // An account without rights, whatever this one is.
    const command = ["setpriv", "--bounding-set=-net_admin", "--inh-caps=-all", process.execPath, ...serve];
    const [program = "", ...args] = command;
    const { status, stderr } = spawnSync(program, args, { encoding: "utf8", timeout: 15_000 });
    assert.is(status, 1, stderr);
    assert.match(stderr, "CAP_NET_ADMIN");
    assert.match(stderr, "--backend model");
  },
  { needs: noKernel },
);

test.run();
