/**
 * The acceptance on one stock Docker engine whose network drivers are ours: `dockerd` and `bulkhead serve` in namespaces of the
 * test's own, containers made of busybox. One stage for all of it; whatever happens, nothing of it is left.
 */
import { existsSync } from "node:fs";
import { lstat } from "node:fs/promises";
import { assert, type Suite, suite, until } from "../../harness.js";
import { noBubblewrap } from "../../isolation/walled.js";
import { calls } from "./calls.js";
import { compose } from "./compose.js";
import { TYPES } from "./drivers.js";
import { hangs } from "./hangs.js";
import { kills } from "./kills.js";
import { type EngineKind, noRoot, STOCK, VARIANTS, WHOLE, wayOf } from "./kinds.js";
import { loopback } from "./loopback.js";
import { macvlan } from "./macvlan.js";
import { moby } from "./moby.js";
import { others } from "./others.js";
import { outside } from "./outside.js";
import { Play, SOCKETS } from "./play.js";
import { pools } from "./pools.js";
import { ports } from "./ports.js";
import { power } from "./power.js";
import { readme } from "./readme.js";
import { shapes } from "./shapes.js";
import { sockets } from "./sockets.js";
import { cgroups, noEngine } from "./stage.js";
import { timing } from "./timing.js";
import { traffic } from "./traffic.js";
import { twoNetworks } from "./two-networks.js";
import { udp } from "./udp.js";

type Cases = (test: Suite, open: () => Promise<Play>, needs: string | undefined) => void;

/** What moves packets: it depends on how the engine is set up. */
const MOVING: readonly Cases[] = [traffic, outside, loopback, twoNetworks, ports, udp];
/** The rest; what restarts everything comes last. */
const STAYING: readonly Cases[] = [pools, shapes, calls, sockets, others, power, compose];

/** Runs the suite. `whole`: also in the short form of CI, what does not depend on the engine's release. */
export function acceptance(kind: EngineKind, { whole }: { readonly whole: boolean }): void {
  const test = suite(`docker: a stock engine ${kind.release}`);
  const needs = noEngine() ?? noRoot(kind) ?? noBubblewrap;

  let play: Promise<Play> | undefined;
  const open = (): Promise<Play> => {
    play ??= Play.open(kind, STOCK);
    return play;
  };

  test(
    "the engine is of the release that its name says",
    async () => {
      const { engine } = await open();
      const version = await engine.docker("version", "-f", "{{.Server.Version}}");
      assert.ok(version.startsWith(`${kind.release}.`), version);
    },
    { ms: 120_000, needs },
  );

  test(
    "a socket for each driver, for root alone, where the engine looks",
    async () => {
      const at = await open();
      await at.served(...TYPES);
      for (const socket of await at.sockets()) {
        const { mode, uid } = await lstat(at.stage.seen(`${SOCKETS}/${socket}`));
        assert.equal([mode & 0o777, uid], [0o600, 0]);
      }
    },
    { ms: 90_000, needs },
  );

  for (const cases of MOVING) cases(test, open, needs);
  for (const cases of STAYING) cases(test, open, needs);
  if (whole || WHOLE) {
    macvlan(test, open, needs);
    moby(test, open, needs);
    hangs(test, open, needs);
    kills(test, open, needs);
    timing(test, open, needs);
  }

  test(
    "everything removed: no link, rule or socket",
    async () => {
      const at = await open();
      const { engine, daemon, stage } = at;
      const left = (await engine.docker("ps", "-aq")).split("\n").filter(Boolean);
      if (left.length > 0) await engine.docker("rm", "-f", ...left);
      await engine.docker("network", "prune", "-f");
      await until(async () => (await stage.sh("ip -o link show | grep -c ' bh-' || true")) === "0", "no link of ours");
      await until(async () => !/bulkhead/.test(await stage.sh("nft list ruleset")), "no rule of ours");
      await daemon.kill("SIGTERM");
      assert.equal(await at.sockets(), []);
    },
    { ms: 60_000, needs },
  );

  readme(test, open, needs);

  test(
    "the machine is as it was",
    async () => {
      const { stage } = await open();
      await (await open()).close();
      assert.not(existsSync(stage.root));
      assert.equal(cgroups(stage.cgroup), []);
    },
    { ms: 60_000, needs },
  );

  if (WHOLE) for (const variant of VARIANTS) onVariant(kind, variant, needs);
  test.run();
}

/** What moves packets, on another way of setting the engine up. */
function onVariant(kind: EngineKind, variant: (typeof VARIANTS)[number], needs: string | undefined): void {
  const test = suite(`docker: a stock engine ${kind.release}, ${wayOf(variant)}`);
  let play: Promise<Play> | undefined;
  const open = (): Promise<Play> => {
    play ??= Play.open(kind, variant);
    return play;
  };
  for (const cases of MOVING) cases(test, open, needs);
  test("the stage is closed", async () => (await open()).close(), { ms: 60_000, needs });
  test.run();
}
