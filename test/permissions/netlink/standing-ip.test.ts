/** Processes of `ip` that stand ready: what they save, and that neither another program nor a failure makes their answers wrong. */
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { NetlinkBackend } from "#dist/permissions/netlink/backend.js";
import { IpRunner } from "#dist/permissions/netlink/kernel/ip.js";
import { IpPool } from "#dist/permissions/netlink/kernel/ip-pool.js";
import { KernelBackend } from "#dist/permissions/netlink/kernel/kernel-backend.js";
import { netnsPath } from "#dist/permissions/netlink/kernel/programs.js";
import { assert, rejection, suite, type TestContext, until } from "../../harness.js";
import { noKernel } from "./backends.js";

const test = suite("permissions/netlink/standing-ip");
const needs = { needs: noKernel };

interface Standing {
  readonly netns: string;
  readonly backend: NetlinkBackend;
  /** PIDs of the processes started so far. */
  started(): readonly number[];
  /** What another program does. */
  other(...args: readonly string[]): void;
}

function addNetns(netns: string): void {
  execFileSync("ip", ["netns", "add", netns]);
  execFileSync("ip", ["-n", netns, "link", "set", "lo", "up"]);
}

const IP = (netns: string): string => `exec ip -n ${netns} "$@"`;

/** A backend in a namespace of its own. `program`: the shell's words that become `ip`; they get its arguments. */
async function standing(t: TestContext, program: (netns: string) => string = IP): Promise<Standing> {
  const netns = `bht-${randomBytes(4).toString("hex")}`;
  addNetns(netns);
  t.cleanup(() => execFileSync("ip", ["netns", "delete", netns]));
  const log = join(await t.folder(), "started");
  await writeFile(log, "");
  const command = ["/bin/sh", "-c", `echo $$ >>${log}; ${program(netns)}`, "ip"];
  const path = netnsPath(netns);
  const backend = new KernelBackend(new IpRunner(command, path, new IpPool(command, path)), netns);
  t.cleanup(() => backend.close());
  return {
    netns,
    backend,
    started: () => readFileSync(log, "utf8").split("\n").filter(Boolean).map(Number),
    other: (...args) => execFileSync("ip", ["-n", netns, ...args]),
  };
}

const linksOf = async (backend: NetlinkBackend): Promise<readonly string[]> =>
  [...(await backend.look({ addresses: true, routes: true })).links.keys()].sort();

function lives(pid: number): boolean {
  return readdirSync("/proc").includes(String(pid));
}

test(
  "looks share a process, and each sees what other programs have done since",
  async (t) => {
    const { backend, started, other } = await standing(t);
    other("link", "add", "one", "type", "bridge");
    assert.equal(await linksOf(backend), ["lo", "one"]);
    other("link", "set", "one", "name", "two");
    other("link", "add", "one", "type", "bridge");
    other("link", "set", "one", "up");
    other("route", "add", "10.1.0.0/16", "dev", "one");
    const view = await backend.look({ addresses: true, routes: true });
    assert.equal([...view.links.keys()].sort(), ["lo", "one", "two"]);
    assert.is(view.routes.find(({ destination }) => destination === "10.1.0.0/16")?.dev, "one");
    other("link", "delete", "one");
    other("link", "delete", "two");
    other("link", "add", "two", "index", "77", "type", "bridge");
    other("link", "add", "port", "type", "veth", "peer", "name", "far");
    other("link", "set", "port", "master", "two");
    const after = await backend.look({ addresses: true, routes: true });
    assert.is(after.links.get("two")?.ifindex, 77);
    assert.is(after.links.get("port")?.master, "two");
    assert.is(started().length, 1);
  },
  needs,
);

test(
  "looks that are asked for at once each get their own answer",
  async (t) => {
    const { backend, other } = await standing(t);
    other("address", "add", "10.64.0.1/24", "dev", "lo");
    const [plain, addressed, both] = await Promise.all([
      backend.look(),
      backend.look({ addresses: true }),
      backend.look({ addresses: true, routes: true }),
    ]);
    assert.equal(plain.links.get("lo")?.addresses, []);
    assert.ok(addressed.links.get("lo")?.addresses.some(({ ip }) => ip === "10.64.0.1"));
    assert.equal(addressed.routes, []);
    assert.ok(both.routes.length > 0);
  },
  needs,
);

test(
  "a change is carried out on the link that has the name now",
  async (t) => {
    const { backend, started, other } = await standing(t);
    for (const name of ["one", "two"]) other("link", "add", name, "type", "bridge");
    const up = (name: string) => backend.apply([[{ change: { op: "up", name } }]]);
    await up("one");
    // The next process stands ready before the names are exchanged.
    await until(() => started().length === 2, "the next process");
    other("link", "set", "one", "down");
    other("link", "set", "one", "name", "three");
    other("link", "set", "two", "name", "one");
    assert.equal((await up("one")).failures, [undefined]);
    const { links } = await backend.look();
    assert.equal([links.get("one")?.up, links.get("three")?.up], [true, false]);
  },
  needs,
);

test(
  "a process that was killed is replaced, and the look that finds it so is answered",
  async (t) => {
    const { backend, started, other } = await standing(t);
    await linksOf(backend);
    const [first = 0] = started();
    other("link", "add", "one", "type", "bridge");
    process.kill(first, "SIGKILL");
    assert.equal(await linksOf(backend), ["lo", "one"]);
    await until(() => !lives(first), "its end");
    assert.equal(await linksOf(backend), ["lo", "one"]);
  },
  needs,
);

test(
  "a namespace that is made again under the same name is the one that is read and changed",
  async (t) => {
    const { backend, netns, started, other } = await standing(t);
    other("link", "add", "old", "type", "bridge");
    await backend.apply([[{ change: { op: "up", name: "old" } }]]);
    await until(() => started().length === 2, "the next process");
    assert.equal(await linksOf(backend), ["lo", "old"]);
    execFileSync("ip", ["netns", "delete", netns]);
    const error = await rejection(backend.look());
    assert.match(error.message, /No such file or directory/);
    addNetns(netns);
    assert.equal(await linksOf(backend), ["lo"]);
    const { failures } = await backend.apply([[{ change: { op: "add", link: { kind: "bridge", name: "new" } } }]]);
    assert.equal(failures, [undefined]);
    assert.equal(await linksOf(backend), ["lo", "new"]);
  },
  needs,
);

for (const answer of [
  String.raw`[]\n[]\n`,
  String.raw`[]\n[{"ifname":"eth0"}]\n`,
  String.raw`[]\n[{"ifname":"lo"}]\n[]\n`,
]) {
  test(
    `a standing process that answers ${answer} is not believed`,
    async (t) => {
      const folder = await t.folder();
      // The first process answers so, from the right namespace; the next one is `ip` itself.
      const { backend, started } = await standing(
        t,
        (netns) =>
          `mkdir ${folder}/first 2>/dev/null && exec ip netns exec ${netns} sh -c 'read -r line; printf "%b" "$0"; exec cat >/dev/null' '${answer}'; exec ip -n ${netns} "$@"`,
      );
      assert.equal([...(await backend.look()).links.keys()], ["lo"]);
      assert.is(started().length, 2);
    },
    needs,
  );
}

test(
  "closing ends every process",
  async (t) => {
    const { backend, started, other } = await standing(t);
    other("link", "add", "one", "type", "bridge");
    await Promise.all([backend.look(), backend.look({ kinds: true })]);
    await backend.apply([[{ change: { op: "up", name: "one" } }]]);
    await until(() => started().length === 4, "the next process");
    await backend.close();
    assert.equal(started().filter(lives), []);
    assert.equal(await linksOf(backend), ["lo", "one"]);
    assert.equal(started().filter(lives), []);
  },
  needs,
);

test.run();
