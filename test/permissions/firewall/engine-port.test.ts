/** A port that is held against a stock Docker engine of the machine's own, and a port that its container has already. */
import { once } from "node:events";
import { Engine } from "../../docker/engine/engine.js";
import { STOCK } from "../../docker/engine/kinds.js";
import { noEngine, Stage } from "../../docker/engine/stage.js";
import { assert, suite, until } from "../../harness.js";

const test = suite("permissions/firewall/engine-port");

/** Holds port 8080, says what came of it, and waits. */
const PLATFORM = `
const { NftBackend } = await import(process.argv[1]);
const nft = new NftBackend(undefined, "test", { info() {}, warn() {}, error() {} });
const port = { bridge: "b", protocol: "tcp", hostPort: 8080, ip: "10.64.1.2", port: 80 };
console.log(JSON.stringify((await nft.hold(port)) ?? "held"));
setInterval(() => {}, 1000);`;

test(
  "the engine's own container does not get a held port, and its port is refused in the words of its proxy",
  async (t) => {
    const stage = await Stage.open({ engineRoot: undefined, bridgeFilter: STOCK.bridgeFilter });
    t.cleanup(() => stage.close());
    const engine = new Engine(stage, STOCK);
    await engine.start();
    await engine.importImage();

    const backend = import.meta.resolve("#dist/permissions/firewall/kernel/nft-backend.js");
    const hold = async (): Promise<{ text: string; end(): Promise<void> }> => {
      const inside = stage.start([process.execPath, "--input-type=module", "-e", PLATFORM, backend]);
      const [text] = await once(inside.child.stdout?.setEncoding("utf8") ?? inside.child, "data");
      return { text: String(text), end: () => inside.kill("SIGKILL") };
    };
    const first = await hold();
    assert.is(first.text.trim(), '"held"');
    const run = ["run", "-d", "-p", "8080:80", "busybox", "sleep", "1d"];
    const refused = await engine.tryDocker(run);
    assert.is.not(refused.code, 0);
    assert.match(refused.err, /address already in use/);

    await first.end();
    await until(
      async () => (await engine.tryDocker(run)).code === 0,
      "the engine's container, once the port is free",
      20_000,
    );
    const second = await hold();
    assert.match(second.text, /port 8080\/tcp of \S+ is in use by process docker-proxy \(pid \d+\)/);
    await second.end();
    await engine.docker("rm", "-f", ...(await engine.docker("ps", "-aq")).split("\n"));
  },
  { ms: 180_000, needs: noEngine() },
);

test.run();
