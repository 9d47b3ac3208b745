/** A container that floods the egress driver and sends it what is no query, on the kernel: others are served, and nothing comes out. */
import packet from "dns-packet";
import { assert, suite } from "../harness.js";
import { noKernel } from "../permissions/netlink/backends.js";
import { home, UNLISTED, WEB } from "./egress-house.js";

const test = suite("plugins/egress-hostile");
const needs = noKernel;
const ms = 120_000;

test(
  "floods of queries, malformed, truncated and oversized ones: another container's names are answered meanwhile",
  async (t) => {
    const { container, host, strays, driver } = await home(t, { allow: "api.example.com:443" });
    const [bad, good] = await Promise.all([container("bad"), container("good")]);
    const query = (name: string): Buffer =>
      packet.encode({ type: "query", id: 7, flags: 256, questions: [{ name, type: "A" }] });
    const loop = query("api.example.com");
    loop.writeUInt16BE(0xc00c, 12);
    const messages = [
      query("api.example.com"),
      query(`${"x".repeat(60)}.evil.example`),
      loop,
      query("api.example.com").subarray(0, 17),
      Buffer.alloc(3000, 0xc0),
      Buffer.alloc(9000, 1),
      Buffer.alloc(0),
    ].map((one) => one.toString("base64"));
    const before = host.host.plugins()[0]?.counters;
    const flood = bad.run("flood", { server: "10.64.1.1", messages, times: 3000 });
    let answered = 0;
    for (let n = 0; n < 20; n++) {
      const { data } = await good.run("resolve", { name: "api.example.com", ms: 2000 });
      if (data[0] === WEB) answered++;
    }
    assert.ok(answered >= 15, `${answered} of 20 are answered`);
    assert.ok(await flood);
    assert.is(await good.run("call", { ip: WEB, port: 443 }), `web ::ffff:${WEB} 443`);
    const after = host.host.plugins()[0];
    assert.is(after?.state, "running", "the plugin runs");
    assert.is(after?.counters.restarts, before?.restarts);
    assert.ok(Number((await driver.endpointOperInfo("n", "bad")).refusedNames) > 0, "refusals are counted");
    assert.is((await driver.endpointOperInfo("n", "good")).refusedNames, 0);
    assert.not.match(await bad.run("call", { ip: UNLISTED, port: 443, ms: 500 }), /^web/);
    assert.is(strays(), 0);
  },
  { ms, needs },
);

test.run();
