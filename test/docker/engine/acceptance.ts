/**
 * The acceptance on one stock Docker engine whose network drivers are ours: `dockerd` and `bulkhead serve` in namespaces of the
 * test's own, containers made of busybox. One stage for all of it; whatever happens, nothing of it is left.
 */
import { lstat } from "node:fs/promises";
import { assert, type Suite, suite, until } from "../../harness.js";
import { noBubblewrap } from "../../isolation/walled.js";
import { calls } from "./calls.js";
import { closeClean, machineState } from "./clean.js";
import { compose } from "./compose.js";
import { firewalls } from "./firewalls.js";
import { hangs } from "./hangs.js";
import { kills } from "./kills.js";
import { type EngineKind, noRoot, STOCK, VARIANTS, type Variant, WHOLE, wayOf } from "./kinds.js";
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
import { noEngine } from "./stage.js";
import { timing } from "./timing.js";
import { traffic } from "./traffic.js";
import { twoNetworks } from "./two-networks.js";
import { udp } from "./udp.js";

/** A file's cases, to run on the stage that `open` gives. */
type Cases = (test: Suite, open: () => Promise<Play>, needs: string | undefined) => void;

/** What moves packets: it depends on how the engine is set up. */
const MOVING: readonly Cases[] = [traffic, outside, loopback, twoNetworks, ports, udp];
/** What depends on what the engine asks, and when. */
const ASKED: readonly Cases[] = [traffic, outside, loopback, twoNetworks, calls];
/** What people do to a machine with an engine as it comes; what restarts everything comes last. */
const FAULTS: readonly Cases[] = [...MOVING, pools, shapes, calls, sockets, others, power];
/** What plugins do, whatever the engine. */
const PLUGINS: readonly Cases[] = [macvlan, moby, hangs, kills, timing];

/** The cases of each file's short form; `faults` has only those that do not depend on the release. */
const PARTS = {
  faults: [outside, loopback, others, power, macvlan],
  asked: ASKED,
  calls: [outside, calls],
} as const;

/** With BULKHEAD_ENGINES=whole, every file runs all of it. ufw and firewalld take Python and a bus. */
const EVERY: readonly Cases[] = [...FAULTS, ...PLUGINS, firewalls, compose];
/** BULKHEAD_ENGINE_CASES=compose,power: these alone, for who works on them. */
const CHOSEN = process.env.BULKHEAD_ENGINE_CASES?.split(",");

/** Runs a part of the acceptance on one engine. */
export function acceptance(kind: EngineKind, part: keyof typeof PARTS): void {
  const needs = noEngine() ?? noRoot(kind) ?? noBubblewrap;
  const all = WHOLE ? EVERY : PARTS[part];
  const cases = CHOSEN === undefined ? all : EVERY.filter(({ name }) => CHOSEN.includes(name));
  stock(`docker: a stock engine ${kind.release}, ${part}`, {
    kind,
    variant: STOCK,
    cases,
    typed: WHOLE || part === "faults",
    needs,
  });
  if (!WHOLE || CHOSEN !== undefined) return;
  for (const variant of VARIANTS) {
    const title = `docker: a stock engine ${kind.release}, ${wayOf(variant)}`;
    stock(title, { kind, variant, cases: MOVING, typed: true, needs });
  }
}

interface Scene {
  readonly kind: EngineKind;
  readonly variant: Variant;
  readonly cases: readonly Cases[];
  /** Types the page's commands, on a host of their own. */
  readonly typed: boolean;
  readonly needs: string | undefined;
}

function stock(title: string, { kind, variant, cases, typed, needs }: Scene): void {
  const test = suite(title);
  let play: Promise<Play> | undefined;
  let before: readonly string[] = [];
  const open = async (): Promise<Play> => {
    if (play === undefined) before = await machineState();
    play ??= Play.open({ kind, variant, hanging: cases.includes(hangs) });
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
      await at.served(...at.types);
      for (const socket of await at.sockets()) {
        const { mode, uid } = await lstat(at.stage.seen(`${SOCKETS}/${socket}`));
        assert.equal([mode & 0o777, uid], [0o600, 0]);
      }
    },
    { ms: 90_000, needs },
  );

  for (const one of cases) one(test, open, needs);

  test(
    "everything removed: no link, rule or socket of ours, and the engine's own as they were",
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
      assert.match(await stage.sh("iptables -w -S FORWARD"), /DOCKER/);
    },
    { ms: 60_000, needs },
  );

  if (typed) readme(test, open, needs);

  test("the machine is as it was", async () => closeClean((await open()).stage, before), { ms: 60_000, needs });
  test.run();
}
