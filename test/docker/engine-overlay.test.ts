/** The driver `overlay` under a stock engine, whose address management knows nothing of other hosts: both ways that its page names. */
import { assert, suite } from "../harness.js";
import { noBubblewrap } from "../isolation/walled.js";
import { closeClean, machineState } from "./engine/clean.js";
import { ENGINES, noRoot, STOCK } from "./engine/kinds.js";
import { Play } from "./engine/play.js";
import { noEngine } from "./engine/stage.js";

const kind = ENGINES.machine;
const test = suite(`docker: overlay on a stock engine ${kind.release}`);
const needs = noEngine() ?? noRoot(kind) ?? noBubblewrap;
const ms = 120_000;
let play: Promise<Play> | undefined;
let before: readonly string[] = [];

const open = async (): Promise<Play> => {
  if (play === undefined) before = await machineState();
  play ??= Play.open({ kind, variant: STOCK, hanging: false, more: ["overlay"] });
  return play;
};

test(
  "--ipam-driver null: the driver gives the addresses, and the network's name on all hosts is an option",
  async (t) => {
    const one = await open();
    const name = one.name("blue");
    await one.create(t, name, "overlay", "--ipam-driver", "null", "-o", "network=blue", "-o", "subnet=10.67.0.0/17");
    const [a, b] = [one.name("box"), one.name("box")];
    await one.engine.runTalker(a, 80, "--network", name);
    await one.engine.runIdle(b, "--network", name);
    const { out } = await one.engine.inside(b, ["ip", "-4", "addr", "show", "eth0"]);
    assert.match(out, /inet 10\.67\.0\.3\/24/);
    assert.is(await one.hears(b, "10.67.0.2", 80), a);
    assert.ok(await one.pings(b, "198.51.100.2"), "outside");
    const twice = await one.engine.tryDocker([
      ...["network", "create", "-d", `${one.daemon.prefix}overlay`, "--ipam-driver", "null", "-o", "network=blue"],
      one.name("blue"),
    ]);
    assert.match(twice.err, 'network "blue" is on this host already');
  },
  { ms, needs },
);

test(
  "--ip-range: the engine gives addresses of this host's prefix, and containers find the rest by the gateway",
  async (t) => {
    const one = await open();
    const name = one.name("green");
    const range = ["--subnet", "10.67.128.0/17", "--ip-range", "10.67.128.0/24", "--gateway", "10.67.128.1"];
    await one.create(t, name, "overlay", ...range, "-o", "network=green");
    const [a, b] = [one.name("box"), one.name("box")];
    await one.engine.runTalker(a, 80, "--network", name);
    await one.engine.runIdle(b, "--network", name);
    const { out } = await one.engine.inside(b, ["ip", "-4", "route"]);
    assert.match(out, "default via 10.67.128.1");
    assert.match(out, "10.67.128.0/18 via 10.67.128.1");
    assert.match(out, /10\.67\.128\.0\/24 dev eth0/);
    assert.is(await one.hears(b, a, 80), a, "by name");
    const foreign = await one.engine.tryDocker([
      "run",
      "--rm",
      "--network",
      name,
      "--ip",
      "10.67.140.2",
      "busybox",
      "true",
    ]);
    assert.match(foreign.err, "is not in this host's prefix of network");
  },
  { ms, needs },
);

test("the machine is as it was", async () => closeClean((await open()).stage, before), { ms: 60_000, needs });

test.run();
