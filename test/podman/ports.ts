/** Published ports: Podman binds them itself and serves nobody, so ours must come first for every client. */
import { HOST } from "../docker/engine/play.js";
import { assert, type Suite } from "../harness.js";
import type { Play } from "./play.js";

export function ports(test: Suite, open: () => Promise<Play>, needs: string | undefined): void {
  test(
    "a published port answers clients outside, on the host and over loopback, TCP and UDP; once it is gone, it is free",
    async (t) => {
      const play = await open();
      const net = await play.net(t);
      const published = ["-p", "8400:80", "-p", "127.0.0.1:8401:80", "-p", "8402-8403:82-83"];
      const a = await play.podman.runTalker(play.name("box"), 80, "--network", net.name, ...published);
      for (const address of [HOST.ipv4, HOST.ipv6])
        assert.is(await play.outsideHears(address, 8400), a, `outside to ${address}`);
      for (const address of [HOST.ipv4, "127.0.0.1", "::1"])
        assert.is(await play.hostHears(address, 8400), a, `the host to ${address}`);
      assert.is(await play.hostHears("127.0.0.1", 8401), a);
      assert.is(await play.outsideHears(HOST.ipv4, 8401), "");
      const listed = await play.daemon.says("ports", "--data-dir", play.daemon.dataDir);
      for (const text of ["8400", "8402", "8403"]) assert.ok(listed.includes(text), listed);
      await play.podman.podman("rm", "-f", "-t", "0", a);
      const b = await play.podman.runTalker(play.name("box"), 80, "--network", net.name, "-p", "8400:80");
      assert.is(await play.hostHears("127.0.0.1", 8400), b);
      assert.is(await play.outsideHears(HOST.ipv4, 8400), b);
    },
    { ms: 90_000, needs },
  );

  test(
    "of two networks one publishes, and the other takes over when it is disconnected; connecting one more changes nothing",
    async (t) => {
      const play = await open();
      const [one, two, three] = [await play.net(t), await play.net(t), await play.net(t)];
      const both = ["--network", one.name, "--network", two.name];
      const a = await play.podman.runTalker(play.name("box"), 80, ...both, "-p", "8410:80");
      const publishing = async (): Promise<number> =>
        (await play.attachments()).filter(({ publishes }) => publishes).length;
      assert.is(await publishing(), 1);
      assert.is(await play.outsideHears(HOST.ipv4, 8410), a);
      await play.podman.podman("network", "connect", three.name, a);
      assert.is(await publishing(), 1);
      for (const net of [one, two]) {
        await play.podman.podman("network", "disconnect", net.name, a);
        assert.is(await publishing(), 1);
        for (const hears of [play.outsideHears(HOST.ipv4, 8410), play.hostHears("127.0.0.1", 8410)])
          assert.is(await hears, a, `after ${net.name}`);
      }
    },
    { ms: 90_000, needs },
  );

  test(
    "a port that is taken is refused, by Podman or in our words, and nothing of the container is left",
    async (t) => {
      const play = await open();
      const net = await play.net(t);
      await play.podman.runIdle(play.name("box"), "--network", net.name, "-p", "8420:80");
      const late = play.name("box");
      const ran = await play.podman.try([
        "run",
        "-d",
        "--name",
        late,
        "--network",
        net.name,
        "-p",
        "8420:80",
        "busybox",
        "sleep",
        "9",
      ]);
      assert.is.not(ran.code, 0);
      assert.match(ran.err, /8420/);
      const low = await play.podman.try(["run", "--rm", "--network", net.name, "-p", "22:80", "busybox", "true"]);
      assert.is(low.code, 126, low.err);
      assert.match(low.err, /port 22 is not within/);
      await play.podman.podman("rm", "-f", "-t", "0", late);
    },
    { ms: 60_000, needs },
  );
}
