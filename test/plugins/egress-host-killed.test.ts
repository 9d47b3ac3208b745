/** The platform is ended by SIGKILL: what is open goes on, nothing new opens, and the next host with its data serves the network again. */
import { spawnSync } from "node:child_process";
import { assert, suite } from "../harness.js";
import { noKernel } from "../permissions/netlink/backends.js";
import { hostsIn } from "./egress-host.js";
import { OTHER, UNLISTED, UNLISTED6, WEB, world } from "./egress-house.js";

const test = suite("plugins/egress-host-killed");
const needs = noKernel;
const ms = 120_000;
const IN_VAIN = 500;

test(
  "SIGKILL of the platform",
  async (t) => {
    const around = await world(t);
    const host = await hostsIn(t, around.netns, { allow: "api.example.com:80-81,*.mirror.example:80" });
    const { run, name } = await around.box();

    const first = await host();
    assert.is(await first.say(`join ${name}`), "done");
    assert.equal((await run("resolve", { name: "api.example.com" })).data, [WEB]);
    assert.is(await run("stream", { ip: WEB, port: 81 }), true);
    await first.kill();

    let rcode = "";
    while (rcode !== "none") ({ rcode } = await run("resolve", { name: "deb.mirror.example", ms: IN_VAIN }));
    for (const ip of [UNLISTED, UNLISTED6, OTHER])
      assert.not.match(await run("call", { ip, port: 80, ms: IN_VAIN }), /^web/, ip);
    // Nobody restores this, and the address is still allowed: without translation, nothing new comes out.
    const tables = inNetns(around.netns, "nft", "list", "tables");
    const table = /inet (bulkhead_\S+_egress)/.exec(tables)?.[1] ?? "";
    inNetns(around.netns, "nft", "flush", "chain", "inet", table, "postrouting");
    assert.not.match(await run("call", { ip: WEB, port: 80, ms: IN_VAIN }), /^web/);
    assert.is(around.strays(), 0, "packets with the container's own address");
    await run("streamed", {});
    let stream = await run("streamed", {});
    while (stream.open && stream.bytes === 0) stream = await run("streamed", {});
    assert.ok(stream.open, "the open stream goes on");

    const second = await host();
    let data: readonly string[] = [];
    while (data[0] !== OTHER) ({ data } = await run("resolve", { name: "deb.mirror.example", ms: IN_VAIN }));
    assert.match(await run("call", { ip: OTHER, port: 80 }), /^web/);
    assert.not.match(await run("call", { ip: UNLISTED, port: 80, ms: IN_VAIN }), /^web/);
    assert.ok((await run("streamed", {})).open, "the stream is open");
    assert.is(await second.say("delete"), "done");
    const rules = spawnSync("ip", ["-n", around.netns, "rule"], { encoding: "utf8" }).stdout;
    assert.ok(!rules.includes("prohibit"), "rules of policy routing that are left");
    assert.is(around.strays(), 0, "packets outside that were not listed");
  },
  { ms, needs },
);

function inNetns(netns: string, ...command: string[]): string {
  const { status, stdout, stderr } = spawnSync("nsenter", [`--net=/run/netns/${netns}`, ...command], {
    encoding: "utf8",
  });
  assert.is(status, 0, stderr);
  return stdout;
}

test.run();
