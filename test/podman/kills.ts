/** The daemon is killed again and again while containers start and stop: what runs is connected, and nothing is left. */
import { PODMAN_CONTAINERS } from "../amounts.js";
import { assert, type Suite } from "../harness.js";
import type { Play } from "./play.js";

/** Kills of the daemon. */
const KILLS = 3;

export function kills(test: Suite, open: () => Promise<Play>, needs: string | undefined): void {
  test(
    `the daemon is killed ${KILLS} times while ${PODMAN_CONTAINERS} containers start and stop: all that run ping, and nothing is left`,
    async (t) => {
      const play = await open();
      const { podman, daemon } = play;
      const net = await play.net(t);
      let over = false;
      const names = Array.from({ length: PODMAN_CONTAINERS }, () => play.name("busy"));
      for (const name of names)
        await podman.podman(
          "create",
          "--cap-add",
          "NET_RAW",
          "--name",
          name,
          "--network",
          net.name,
          "busybox",
          "sleep",
          "1d",
        );
      let [starts, refusals] = [0, 0];
      const loops = names.map(async (name) => {
        while (!over) {
          const { code } = await podman.try(["start", name]);
          if (code === 0) starts++;
          else refusals++;
          if (!over) await podman.try(["stop", "-t", "0", name]);
        }
        await podman.try(["start", name]);
      });
      t.cleanup(async () => {
        over = true;
        await Promise.all(loops);
      });
      for (let kill = 0; kill < KILLS; kill++) {
        const before = starts;
        while (starts < before + PODMAN_CONTAINERS) await new Promise((resolve) => setTimeout(resolve, 20));
        await daemon.kill("SIGKILL");
        await daemon.start();
      }
      over = true;
      await Promise.all(loops);
      const running = (await podman.podman("ps", "--format", "{{.Names}}"))
        .split("\n")
        .filter((one) => names.includes(one));
      assert.ok(running.length >= PODMAN_CONTAINERS / 2, `${running.length} run of ${PODMAN_CONTAINERS}`);
      for (const name of running) assert.ok(await play.pings(name, net.ipv4(1)), `${name} pings its gateway`);
      console.log(`${starts} starts, ${refusals} refused while the daemon was away, ${running.length} run`);
      await podman.podman("rm", "-f", "-t", "0", ...names);
      await play.nothingLeft(60_000);
    },
    { ms: 180_000, needs },
  );
}
