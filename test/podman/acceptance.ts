/** The acceptance on one Podman: what people do with networks of ours, in an order in which what restarts everything comes last. */
import { readdir } from "node:fs/promises";
import { closeClean, machineState } from "../docker/engine/clean.js";
import { noEngine } from "../docker/engine/stage.js";
import { assert, type Suite, suite } from "../harness.js";
import { noBubblewrap } from "../isolation/walled.js";
import { drivers } from "./drivers.js";
import { egress } from "./egress.js";
import { faults } from "./faults.js";
import { kills } from "./kills.js";
import { noRoot, type PodmanKind } from "./kinds.js";
import { names } from "./names.js";
import { networks } from "./networks.js";
import { Play } from "./play.js";
import { ports } from "./ports.js";
import { readme } from "./readme.js";

/** A part of the acceptance. */
export type Cases = (test: Suite, open: () => Promise<Play>, needs: string | undefined) => void;

const EVERY: readonly Cases[] = [networks, names, ports, drivers, egress, faults, kills];
/** BULKHEAD_ENGINE_CASES=networks,kills: these alone, for who works on them. */
const CHOSEN = process.env.BULKHEAD_ENGINE_CASES?.split(",");
const CASES = CHOSEN === undefined ? EVERY : EVERY.filter(({ name }) => CHOSEN.includes(name));

/** Runs all of it. */
export function acceptance(kind: PodmanKind): void {
  const needs = noEngine() ?? noRoot(kind) ?? noBubblewrap;
  const test = suite(`podman: release ${kind.release}`);
  let play: Promise<Play> | undefined;
  let before: readonly string[] = [];
  const open = async (): Promise<Play> => {
    if (play === undefined) before = await machineState();
    play ??= Play.open(kind, {});
    return play;
  };

  test(
    "Podman is of the release that its name says, and lists our drivers",
    async () => {
      const { podman } = await open();
      const version = await podman.podman("version", "-f", "{{.Client.Version}}");
      assert.ok(version.startsWith(`${kind.release}.`), version);
      assert.equal((await readdir(podman.plugins)).sort(), ["bridge", "egress", "host", "macvlan", "null"].map(ours));
      const drivers = await podman.podman("info", "-f", "{{.Plugins.Network}}");
      assert.match(drivers, /bulkhead-bridge/);
    },
    { ms: 120_000, needs },
  );

  for (const one of CASES) one(test, open, needs);

  test(
    "everything removed: no link, rule, row or file of ours",
    async () => {
      const { podman, daemon, nothingLeft } = await open();
      await podman.podman("rm", "-f", "-t", "0", "-a");
      await podman.podman("network", "prune", "-f");
      await nothingLeft.call(await open());
      assert.match(await daemon.says("podman", "uninstall", "--dir", podman.plugins), /removed .*bulkhead-bridge/);
      assert.equal(await readdir(podman.plugins), []);
      await daemon.kill("SIGTERM");
    },
    { ms: 60_000, needs },
  );

  if (CHOSEN === undefined) readme(test, open, needs);

  test("the machine is as it was", async () => closeClean((await open()).stage, before), { ms: 60_000, needs });
  test.run();
}

const ours = (type: string): string => `bulkhead-${type}`;
