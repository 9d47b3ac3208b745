/** Names, which no aardvark-dns serves for a plugin's network. */
import { AT_OUTSIDE, OUTSIDE } from "../docker/engine/play.js";
import { assert, type Suite, until } from "../harness.js";
import type { Play } from "./play.js";

export function names(test: Suite, open: () => Promise<Play>, needs: string | undefined): void {
  test(
    "a container is found by its name, aliases and id, from its own networks alone; also after the daemon was killed",
    async (t) => {
      const play = await open();
      const { podman, daemon } = play;
      const [net, other] = [await play.net(t), await play.net(t)];
      const a = await podman.runTalker(play.name("box"), 80, "--network", `${net.name}:alias=front,alias=shop`);
      const b = await podman.runIdle(play.name("box"), "--network", net.name, "--network", other.name);
      const c = await podman.runTalker(play.name("box"), 80, "--network", other.name);
      const id = (await podman.podman("inspect", "-f", "{{.Id}}", a)).slice(0, 12);
      for (const name of [a, "front", "shop", "SHOP", id, `${a}.dns.podman`])
        assert.is(await play.hears(b, name, 80), a, name);
      assert.is(await play.hears(b, c, 80), c, "on its other network");
      assert.is(await play.hears(c, a, 80), "", "a name of another network");
      const looked = async (from: string, name: string): Promise<string> => {
        const { out } = await podman.try(["exec", from, "nslookup", name]);
        return out;
      };
      const found = await looked(b, a);
      for (const address of [net.ipv4(2), net.ipv6(2)]) assert.ok(found.includes(`Address: ${address}\n`), found);
      assert.match(await looked(b, net.ipv4(2)), new RegExp(`name = ${a}`));
      await daemon.kill("SIGKILL");
      await daemon.start();
      assert.is(await play.hears(b, "front", 80), a);
      // Another network's gateway gives nothing away.
      const { out } = await podman.try(["exec", c, "nslookup", a, net.ipv4(1)]);
      assert.match(out, /REFUSED|refused/);
    },
    { ms: 90_000, needs },
  );

  test(
    "other names are passed on, to the servers that the network names; an internal network knows its own alone",
    async (t) => {
      const play = await open();
      const { podman, stage } = play;
      const inner = await play.net(t, "--internal");
      const a = await podman.runTalker(play.name("box"), 80, "--network", inner.name);
      const b = await podman.runIdle(play.name("box"), "--network", inner.name);
      assert.is(await play.hears(b, a, 80), a);
      assert.match((await podman.try(["exec", b, "nslookup", "example.org"])).out, /NXDOMAIN/);
      const server = stage.start([...AT_OUTSIDE, process.execPath, "-e", ANSWERS]);
      t.cleanup(() => server.kill("SIGKILL"));
      await until(() => server.said().includes("ready"), "the server outside");
      const net = await play.net(t, "--dns", OUTSIDE.ipv4);
      const c = await podman.runIdle(play.name("box"), "--network", net.name);
      assert.match((await podman.try(["exec", c, "nslookup", "example.org"])).out, /192\.0\.2\.77/);
    },
    { ms: 60_000, needs },
  );
}

/** A server that has one address for every name. */
const ANSWERS = `
const s = require("node:dgram").createSocket("udp4");
s.on("message", (query, { port, address }) => {
  let end = 12;
  while (query[end] !== 0) end += query[end] + 1;
  end += 5;
  const head = Buffer.from(query.subarray(0, 12));
  head.writeUInt16BE(0x8180, 2); head.writeUInt16BE(query.readUInt16BE(end - 4) === 1 ? 1 : 0, 6); head.writeUInt16BE(0, 8); head.writeUInt16BE(0, 10);
  const answer = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 77]);
  s.send(Buffer.concat([head, query.subarray(12, end), ...(query.readUInt16BE(end - 4) === 1 ? [answer] : [])]), port, address);
});
s.bind(53, "${OUTSIDE.ipv4}", () => console.log("ready"));`;
