/**
 * A real Docker engine whose network drivers are ours: `dockerd` and `bulkhead serve` in namespaces of the test's own, containers
 * made of busybox. One engine and one daemon for all of it; whatever happens, nothing of it is left.
 */
import { existsSync } from "node:fs";
import { lstat } from "node:fs/promises";
import { assert, suite, until } from "../harness.js";
import { noBubblewrap } from "../isolation/walled.js";
import { TYPES } from "./engine/drivers.js";
import { hangs } from "./engine/hangs.js";
import { kills } from "./engine/kills.js";
import { macvlan } from "./engine/macvlan.js";
import { moby } from "./engine/moby.js";
import { Play } from "./engine/play.js";
import { readme } from "./engine/readme.js";
import { cgroups, noEngine } from "./engine/stage.js";
import { timing } from "./engine/timing.js";
import { traffic } from "./engine/traffic.js";

const test = suite("docker: a real engine");
const needs = noEngine() ?? noBubblewrap;

let play: Promise<Play> | undefined;
const open = (): Promise<Play> => {
  play ??= Play.open();
  return play;
};

test(
  "a socket for each driver, for root alone, where the engine looks",
  async () => {
    const at = await open();
    await at.served(...TYPES);
    for (const socket of await at.sockets()) {
      const { mode, uid } = await lstat(at.stage.path("plugins", socket));
      assert.equal([mode & 0o777, uid], [0o600, 0]);
    }
  },
  { ms: 90_000, needs },
);

traffic(test, open, needs, needs);
macvlan(test, open, needs);
moby(test, open, needs);
hangs(test, open, needs);
kills(test, open, needs, undefined);
timing(test, open, needs);

test(
  "everything removed: no link, rule or socket",
  async () => {
    const at = await open();
    const { engine, daemon, stage } = at;
    await engine.docker("rm", "-f", ...(await engine.docker("ps", "-aq")).split("\n").filter(Boolean));
    await engine.docker("network", "prune", "-f");
    await until(async () => (await stage.sh("ip -o link show | grep -c ' bh-' || true")) === "0", "no link of ours");
    await until(async () => !/dport/.test(await stage.sh("nft list ruleset")), "no rule of ours");
    await daemon.kill("SIGTERM");
    assert.equal(await at.sockets(), []);
  },
  { ms: 60_000, needs },
);

readme(test, open, needs);

test(
  "the machine is as it was",
  async () => {
    const at = await open();
    const { stage } = at;
    await at.close();
    assert.not(existsSync(stage.root));
    assert.equal(cgroups(stage.cgroup), []);
  },
  { ms: 60_000, needs },
);

test.run();
