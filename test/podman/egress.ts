/** Driver `egress` on Podman: as on an engine, with names answered at the network's gateway. */
import { ALLOW, call, dataOf, OTHER, reaches, resolve, UNLISTED, WEB, World } from "../docker/engine/egress-world.js";
import { assert, type Suite, until } from "../harness.js";
import type { Play } from "./play.js";

export function egress(test: Suite, open: () => Promise<Play>, needs: string | undefined): void {
  test(
    "egress: what is listed is reached, by name, by wildcard and by network, and nothing else; again after restarts of both",
    async (t) => {
      const play = await open();
      const { podman, daemon } = play;
      const world = await World.open(play.stage);
      const name = play.name("net");
      const subnets = ["--ipv6", "--subnet", "10.66.1.0/24", "--subnet", "fd66:0:0:1::/64"];
      const gateway = "10.66.1.1";
      await play.create(t, name, "egress", ...subnets, "-o", `allow=${ALLOW}`);
      const box = await podman.runIdle(play.name("box"), "--network", name);
      const inside = async () => {
        const pid = await podman.podman("inspect", "-f", "{{.State.Pid}}", box);
        return world.inside("nsenter", `--target=${pid}`, "--net");
      };
      const pings = (ip: string): Promise<boolean> => play.pings(box, ip);
      await reaches(world, { does: await inside(), pings, server: gateway, gateway });
      // The container itself asks there.
      assert.match(await podman.podman("exec", box, "nslookup", "api.example.com"), new RegExp(WEB));

      const before = await world.strays();
      const served = async (): Promise<void> => {
        const does = await inside();
        const asked = ["deb.mirror.example", "unlisted.example.com"].map((one) => resolve(one, gateway, { ms: 1000 }));
        await until(
          async () => String(dataOf(await does(asked))) === String([OTHER, "NXDOMAIN"]),
          "names to be resolved",
          20_000,
        );
        const [listed, unlisted] = await does([call(OTHER, 80), call(UNLISTED, 80)]);
        assert.is(listed, `web ::ffff:${OTHER} 80`);
        assert.not.match(String(unlisted), /^web/);
      };
      await daemon.kill("SIGKILL");
      const [unlisted] = await (await inside())([call(UNLISTED, 80)]);
      assert.not.match(String(unlisted), /^web/, "while the daemon is down");
      await daemon.start();
      await served();
      await podman.podman("restart", "-t", "0", box);
      await served();
      assert.is(await world.strays(), before, "packets outside that were not listed");

      const published = await podman.try(["run", "--rm", "-p", "8600:80", "--network", name, "busybox", "true"]);
      assert.is.not(published.code, 0);
      assert.match(published.err, /publishes no ports/);
    },
    { ms: 120_000, needs },
  );
}
