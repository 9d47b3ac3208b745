/** The other shipped drivers: the acceptance of `bridge` where it applies to them. */
import { assert, type Suite } from "../harness.js";
import type { Play } from "./play.js";

/** The links of a container besides loopback. */
async function links(play: Play, container: string): Promise<readonly string[]> {
  const out = await play.podman.podman("exec", container, "ip", "-o", "link");
  return [...out.matchAll(/^\d+: ([^:@]+)/gm)].map(([, name = ""]) => name).filter((name) => name !== "lo");
}

export function drivers(test: Suite, open: () => Promise<Play>, needs: string | undefined): void {
  test(
    "macvlan: containers reach each other on the parent's link, with the addresses that are asked for; again after a restart",
    async (t) => {
      const play = await open();
      const { podman } = play;
      const name = play.name("net");
      await play.create(t, name, "macvlan", "--subnet", "10.64.200.0/24", "-o", "parent=mac0");
      const a = await podman.runTalker(play.name("box"), 80, "--network", name, "--ip", "10.64.200.7");
      const b = await podman.runIdle(play.name("box"), "--network", name);
      assert.is(await play.hears(b, "10.64.200.7", 80), a);
      await podman.podman("restart", "-t", "0", a);
      await podman.listens(a, 80);
      assert.is(await play.hears(b, "10.64.200.7", 80), a);
      assert.equal(await links(play, a), ["eth0"]);
    },
    { ms: 90_000, needs },
  );

  for (const type of ["null", "host"])
    test(
      `${type}: a container is attached without a link, restarted and removed`,
      async (t) => {
        const play = await open();
        const { podman } = play;
        const name = play.name("net");
        await play.create(t, name, type);
        const box = await podman.runIdle(play.name("box"), "--network", name);
        assert.equal(await links(play, box), []);
        const rows = async (): Promise<number> => (await play.attachments()).length;
        assert.is(await rows(), 1);
        await podman.podman("restart", "-t", "0", box);
        assert.is(await rows(), 1);
        await podman.podman("rm", "-f", "-t", "0", box);
        assert.is(await rows(), 0);
      },
      { ms: 60_000, needs },
    );
}
