/** `bulkhead ps`, a whole process, against a host with 100 plugins; the peer is `docker ps`, in a stage of its own. */
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { ENGINES, STOCK } from "../../docker/engine/kinds.js";
import { Play } from "../../docker/engine/play.js";
import { noEngine } from "../../docker/engine/stage.js";
import { noBubblewrap } from "../../isolation/walled.js";
import { REPO } from "../../kit/host.js";
import { type House, openHouse } from "../hosts.js";
import { driverSource } from "../plugins.js";
import type { Measure } from "../row.js";

const run = promisify(execFile);
const PLUGINS = 100;

interface Sides {
  readonly play: Play;
  readonly house: House;
  readonly folder: string;
}

let opened: Promise<Sides> | undefined;

async function open(): Promise<Sides> {
  const types = Array.from({ length: PLUGINS }, (_, at) => `net${at}`);
  const plugins = Object.fromEntries(types.map((type) => [type, driverSource({ type })]));
  const house = await openHouse({ isolation: "thread", plugins });
  const folder = await mkdtemp(join(tmpdir(), "bulkhead-ps-"));
  await house.host.control(join(folder, "control.sock"));
  return { play: await Play.open({ kind: ENGINES.machine, variant: STOCK, hanging: true }), house, folder };
}

async function ours({ folder }: Sides): Promise<number> {
  const began = performance.now();
  const { stdout } = await run(join(REPO, "dist/cli/bulkhead"), ["ps", "--control", join(folder, "control.sock")]);
  const lines = stdout.trimEnd().split("\n").length;
  if (lines !== PLUGINS + 1) throw new Error(`bulkhead ps printed ${lines} lines`);
  return performance.now() - began;
}

async function theirs({ play }: Sides): Promise<number> {
  const { ms, code, err } = await play.engine.tryDocker(["ps"]);
  if (code !== 0) throw new Error(`docker ps: ${err}`);
  return ms;
}

export const dockerPs: Measure = {
  rows: [
    {
      id: "docker-ps",
      what: `bulkhead ps against a host with ${PLUGINS} plugins, as a whole process`,
      ...{ peer: "docker ps", unit: "ms", direction: "at most", bar: 1.5, aim: 1 },
    },
  ],
  seconds: 30,
  onlyNamed: true,
  lacks: () => noEngine() ?? noBubblewrap,
  async round({ pair }) {
    opened ??= open();
    const sides = await opened;
    return {
      "docker-ps": await pair(
        () => ours(sides),
        () => theirs(sides),
      ),
    };
  },
  async end() {
    const sides = await opened;
    await sides?.play.close();
    await sides?.house.stop();
    if (sides) await rm(sides.folder, { recursive: true });
  },
};
