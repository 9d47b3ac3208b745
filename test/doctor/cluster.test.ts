/** `bulkhead doctor --cluster FILE`: what it says of an etcd that answers, is old, foreign, without a leader or down, and of other stores. */
import { writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";
import type { CheckResult } from "#dist/doctor/check-result.js";
import { checkCluster, judgeMembers } from "#dist/doctor/cluster.js";
import { cli } from "../cli/cli.js";
import { assert, suite, type TestContext } from "../harness.js";
import { freePort, noEtcd, startEtcd, startMembers } from "../permissions/cluster/etcd.js";

const test = suite("doctor: the store that hosts share");

const shown = (checks: readonly CheckResult[]): unknown =>
  checks.map(({ name, holds, demanded }) => [name, holds, demanded]);

/** Serves `/v3` as a member that says this of itself. */
async function pretender(t: TestContext, status: object): Promise<string> {
  const port = await freePort();
  const server = createServer((_, response) => response.end(JSON.stringify(status)));
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  t.cleanup(() => server.close());
  return `http://127.0.0.1:${port}`;
}

test(
  "an etcd that answers, and one that is down",
  async (t) => {
    const etcd = await startEtcd(t);
    const options = { store: "etcd", endpoints: [etcd.url] } as const;
    const well = await checkCluster(options, true);
    assert.equal(shown(well), [
      ["cluster.members", "yes", true],
      ["cluster.read", "yes", true],
    ]);
    assert.match(well[0]?.evidence ?? "", /^http:\/\/127\.0\.0\.1:\d+ is etcd 3\.\d+\.\d+$/);
    const { count } = (await etcd.call("kv/range", { key: "AA==", range_end: "AA==" })) as { count?: string };
    assert.is(count, undefined, "nothing was written");
    await etcd.kill("SIGKILL");
    const down = await checkCluster(options, false);
    assert.equal(shown(down), [
      ["cluster.members", "no", false],
      ["cluster.read", "no", false],
    ]);
    assert.match(down[0]?.evidence ?? "", `${etcd.url}: the store cannot be reached: ECONNREFUSED`);
    assert.ok(down.every(({ fix }) => fix !== null));
  },
  { needs: noEtcd },
);

test(
  "one member of three that is down; two that are down leave no leader to read from",
  async (t) => {
    const members = await startMembers(t, 3);
    const options = { store: "etcd", endpoints: members.map(({ url }) => url) } as const;
    await members[0]?.kill("SIGKILL");
    assert.equal(shown(await checkCluster(options, true)), [
      ["cluster.members", "no", true],
      ["cluster.read", "yes", true],
    ]);
    await members[1]?.kill("SIGKILL");
    assert.equal(shown(await checkCluster(options, true)), [
      ["cluster.members", "no", true],
      ["cluster.read", "no", true],
    ]);
  },
  { needs: noEtcd, ms: 60_000 },
);

test("members that are old, without a leader, of several clusters, or no etcd", async (t) => {
  const header = { cluster_id: "7" };
  const problem = async (...statuses: readonly object[]): Promise<string> => {
    const endpoints = await Promise.all(statuses.map((status) => pretender(t, status)));
    const [members] = await checkCluster({ store: "etcd", endpoints }, true);
    assert.is(members?.holds, "no");
    return members?.evidence ?? "";
  };
  assert.match(await problem({ header, version: "3.3.25", leader: "1" }), /is etcd 3\.3\.25$/);
  assert.match(await problem({ header, version: "2.4.0", leader: "1" }), /is etcd 2\.4\.0$/);
  assert.match(await problem({ header, version: "3.4.1" }), /^no leader: http:/);
  const other = { header: { cluster_id: "8" }, version: "3.5.0", leader: "1" };
  assert.match(
    await problem({ header, version: "3.4.1", leader: "1" }, other),
    /^several clusters: .* is of 7, .* is of 8$/,
  );
  assert.match(await problem({ version: "\u001b[2J" }), /is not etcd's: no version/);
  assert.match(await problem([]), /is not etcd's/);
  const status = { version: "10.0.0", clusterId: "7", leader: true };
  assert.is(judgeMembers([{ endpoint: "a", status }]).holds, "yes");
});

test("a store of the host's own, and none", async () => {
  for (const [options, granted, words] of [
    [{ store: "local" }, true, /this host's own/],
    [undefined, true, /--cluster/],
    [undefined, false, /grants no plugin "cluster"/],
  ] as const) {
    const checks = await checkCluster(options, granted);
    assert.ok(checks.every(({ holds, demanded, fix }) => holds === "skipped" && demanded === granted && fix === null));
    assert.match(checks[0]?.evidence ?? "", words);
  }
});

test("the command: fails where the policy grants `cluster`, and names a file that does not parse", async (t) => {
  const folder = await t.folder();
  const [file, policy] = [join(folder, "cluster.json"), join(folder, "bulkhead.config.json")];
  await writeFile(file, JSON.stringify({ store: "etcd", endpoints: [`http://127.0.0.1:${await freePort()}`] }));
  await writeFile(policy, JSON.stringify({ sandbox: "none", plugins: { overlay: { grant: { cluster: true } } } }));
  const ran = await cli(["doctor", "--policy", policy, "--cluster", file]);
  assert.is(ran.exit, 1);
  assert.match(ran.out, /\ncluster\.members +no +yes +http:/);
  assert.match(ran.err, "the store that hosts share does not work here: cluster.members, cluster.read");
  await writeFile(file, JSON.stringify({ store: "etcd" }));
  const wrong = await cli(["doctor", "--policy", policy, "--cluster", file]);
  assert.match(wrong.err, /ERR_OPTIONS: .*cluster\.json: endpoints/);
});

test.run();
