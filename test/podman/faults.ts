/** What ends: a container, the daemon, the machine's power. */
import { HOST } from "../docker/engine/play.js";
import { assert, type Suite, until } from "../harness.js";
import type { Play } from "./play.js";

export function faults(test: Suite, open: () => Promise<Play>, needs: string | undefined): void {
  test(
    "a container that is restarted, and one whose program is killed, is on its network again with its ports",
    async (t) => {
      const play = await open();
      const net = await play.net(t);
      const a = await play.podman.runTalker(play.name("box"), 80, "--network", net.name, "-p", "8500:80");
      await play.podman.podman("restart", "-t", "0", a);
      await play.podman.listens(a, 80);
      assert.is(await play.outsideHears(HOST.ipv4, 8500), a);
      await play.podman.podman("kill", a);
      await play.podman.podman("wait", a);
      await until(async () => (await play.attachments()).length === 0, "the attachment to go", 20_000);
      await play.podman.podman("start", a);
      await play.podman.listens(a, 80);
      assert.is(await play.hostHears("127.0.0.1", 8500), a);
    },
    { ms: 90_000, needs },
  );

  test(
    "without the daemon: connections stay, setup is refused at once, stop and disconnect succeed; the daemon settles them",
    async (t) => {
      const play = await open();
      const { podman, daemon } = play;
      const [net, other] = [await play.net(t), await play.net(t)];
      const a = await podman.runTalker(play.name("box"), 80, "--network", net.name, "-p", "8510:80");
      const b = await podman.runIdle(play.name("box"), "--network", net.name, "--network", other.name);
      const gone = await podman.runIdle(play.name("box"), "--network", net.name, "-p", "8511:80");
      await daemon.kill("SIGKILL");
      t.cleanup(() => daemon.start().catch(() => {}));
      assert.is(await play.hears(b, await addressOn(play, a, net.name), 80), a);
      assert.is(await play.outsideHears(HOST.ipv4, 8510), a);
      const began = performance.now();
      const refused = await podman.try(["run", "--rm", "--network", net.name, "busybox", "true"]);
      assert.is(refused.code, 126);
      assert.match(refused.err, /no bulkhead host runs at .*control\.sock; start one with: bulkhead serve/);
      assert.ok(performance.now() - began < 10_000);
      await podman.podman("network", "disconnect", other.name, b);
      await podman.podman("rm", "-f", "-t", "0", gone);
      await daemon.start();
      const left = async (): Promise<readonly string[]> =>
        (await play.attachments()).map(({ interface: name }) => name);
      await until(async () => (await left()).length === 2, "what was missed", 15_000);
      await until(
        async () => !(await play.does(b, "ip", "link", "show", "eth1")),
        "the disconnected link's end",
        15_000,
      );
      assert.ok(await play.does(b, "ip", "link", "show", "eth0"));
      assert.is(await play.outsideHears(HOST.ipv4, 8510), a);
      await until(async () => (await play.hostHears("127.0.0.1", 8510)) === a, "loopback", 15_000);
      await podman.runTalker(play.name("box"), 80, "--network", net.name, "-p", "8511:80");
    },
    { ms: 120_000, needs },
  );

  test(
    "the power is cut: containers start again on their networks, and nothing of before is left",
    async (t) => {
      const play = await open();
      const net = await play.net(t);
      const a = await play.podman.runTalker(play.name("box"), 80, "--network", net.name, "-p", "8520:80");
      const never = await play.podman.runIdle(play.name("box"), "--network", net.name);
      await play.powerCut();
      await play.nothingLeft();
      await play.podman.podman("start", a);
      await play.podman.listens(a, 80);
      assert.is(await play.outsideHears(HOST.ipv4, 8520), a);
      assert.is((await play.attachments()).length, 1);
      await play.podman.podman("rm", never);
    },
    { ms: 120_000, needs },
  );
}

async function addressOn(play: Play, container: string, network: string): Promise<string> {
  const path = `{{with index .NetworkSettings.Networks "${network}"}}{{.IPAddress}}{{end}}`;
  return play.podman.podman("inspect", "-f", path, container);
}
