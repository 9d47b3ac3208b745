/**
 * One driver, as `bulkhead new` writes it, for a Docker engine, Podman and a CNI runtime at the same time: one daemon, one plugin, and on
 * two of the platforms a container of the same id.
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { Runtime } from "../cni/runtime.js";
import { closeClean, machineState } from "../docker/engine/clean.js";
import { Engine } from "../docker/engine/engine.js";
import { STOCK } from "../docker/engine/kinds.js";
import { noEngine } from "../docker/engine/stage.js";
import { assert, suite } from "../harness.js";
import { noBubblewrap } from "../isolation/walled.js";
import { noRoot, PODMANS } from "../podman/kinds.js";
import { Play } from "../podman/play.js";

const test = suite("newcomer: one driver on every platform");
const kind = PODMANS.trixie;
const needs = noEngine() ?? noRoot(kind) ?? noBubblewrap;
const TYPE = "bulkhead-mine";

/** The address that `ip` shows. */
const address = (text: string): string => /inet (10\.66\.\d+\.\d+)\//.exec(text)?.[1] ?? text;

/** Creates a network and two containers, of which one pings the other, and removes them. */
async function throughDocker(engine: Engine): Promise<void> {
  await engine.docker("network", "create", "-d", TYPE, "--subnet", "10.66.1.0/24", "d");
  await engine.runIdle("d1", "--network", "d");
  await engine.runIdle("d2", "--network", "d");
  const to = address((await engine.inside("d2", ["ip", "-4", "addr", "show", "eth0"])).out);
  const { code, err } = await engine.inside("d1", ["ping", "-c1", "-W5", to]);
  assert.is(code, 0, err);
  await engine.docker("rm", "-f", "d1", "d2");
  await engine.docker("network", "rm", "d");
}

test(
  "a Docker engine, Podman and CNI: containers of each reach each other, and nothing is left",
  async (t) => {
    const before = await machineState();
    const play = await Play.open(kind, {});
    t.cleanup(() => closeClean(play.stage, before));
    const { stage, daemon, podman } = play;
    // The page's commands: a driver from the template, and its grant.
    await daemon.says("new", join(daemon.plugins, "mine"), "--with", "netlink,store");
    const bounds = ["--set", "netlink.prefix=mine", "--set", "netlink.subnets=10.66.0.0/16"];
    const granted = ["--plugins", daemon.plugins, "--policy", stage.path("policy.json")];
    await daemon.says("grant", "mine", ...bounds, ...granted);
    await daemon.kill("SIGTERM");
    await daemon.start();
    const bin = stage.path("bin");
    await mkdir(bin);
    await daemon.says("cni", "install", "--dir", bin, "--data-dir", daemon.dataDir);
    await daemon.says("podman", "install", "--dir", podman.plugins, "--data-dir", daemon.dataDir);
    const engine = new Engine(stage, STOCK);
    await engine.start();
    await engine.docker("import", stage.path("image.tar"), "busybox");

    await podman.podman("network", "create", "-d", TYPE, "--subnet", "10.66.2.0/24", "p");
    await podman.runIdle("p1", "--network", "p", "--cap-add", "NET_RAW");
    const id = await podman.podman("inspect", "-f", "{{.Id}}", "p1");
    const throughPodman = async (): Promise<void> => {
      await podman.runIdle("p2", "--network", "p");
      const to = address(await podman.podman("exec", "p2", "ip", "-4", "addr", "show", "eth0"));
      assert.ok(await play.pings("p1", to), to);
      await podman.podman("rm", "-f", "-t", "0", "p2");
    };
    const runtime = new Runtime((type, env, input) =>
      stage.run([join(bin, type)], { env: { PATH: process.env.PATH, CNI_PATH: bin, ...env }, input }),
    );
    const throughCni = async (): Promise<void> => {
      const plugins = [{ type: TYPE, ipam: { subnet: "10.66.3.0/24" } }];
      const list = { cniVersion: "1.0.0", name: "p", plugins };
      await stage.sh("ip netns add c1; ip netns add c2");
      const containers = [
        { id, netns: "/run/netns/c1" },
        { id: "c2", netns: "/run/netns/c2" },
      ];
      for (const one of containers) await runtime.add(list, one);
      const to = address(await stage.sh("ip -n c2 -4 addr show eth0"));
      await stage.sh(`ip netns exec c1 busybox ping -c1 -W5 ${to}`);
      for (const one of containers) await runtime.del(list, one);
    };
    await Promise.all([throughDocker(engine), throughPodman(), throughCni()]);
    // After CNI's container of the same id is gone, only Podman's attachment is left.
    assert.equal(
      (await play.attachments()).map(({ container }) => container),
      [id],
    );
    assert.ok(await play.pings("p1", "10.66.2.1"));
    await podman.podman("rm", "-f", "-t", "0", "p1");
    await podman.podman("network", "rm", "p");
    await play.nothingLeft();
  },
  { ms: 180_000, needs },
);

test.run();
