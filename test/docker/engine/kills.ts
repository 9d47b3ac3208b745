/** Worker, host process, daemon and engine are killed, each while containers start and stop: nothing is lost, nothing is left. */

import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { ENGINE_CONTAINERS } from "../../amounts.js";
import { assert, type Suite, until } from "../../harness.js";
import { allAnswer, Churn, nothingOrphaned } from "./churn.js";
import { HOST, type Net, type Play } from "./play.js";

/** How many containers start and stop. */
/** Starts and stops before a kill, and after what was killed is there again. */
const [BEFORE, AFTER] = [8, 12];

export function kills(test: Suite, open: () => Promise<Play>, needs: string | undefined) {
  let churn: Churn | undefined;
  let [old, busy]: Net[] = [];
  /** A network from before, with a container that talks and is published; and the one with the loop. */
  const prepare = async (): Promise<Play> => {
    const play = await open();
    if (churn) return play;
    // These outlive the tests one by one.
    [old, busy] = [await play.net(undefined), await play.net(undefined)];
    await play.engine.runTalker("before", 80, "--network", old.name, "-p", "8100:80");
    churn = await Churn.create(play, busy, ENGINE_CONTAINERS);
    return play;
  };

  const cases: Readonly<Record<string, (play: Play) => Promise<void>>> = {
    "the driver's worker": async (play) => {
      const ran = await play.engine.tryDocker([
        "network",
        "create",
        "-d",
        `${play.daemon.prefix}bridge`,
        "--subnet",
        "10.127.9.0/24",
        "-o",
        "die=now",
        "dies",
      ]);
      assert.match(ran.err, /worker ended/);
    },
    "its host process": async (play) => {
      const pids = play.daemon.hostProcesses();
      assert.ok(pids.length > 0);
      for (const pid of pids) {
        try {
          process.kill(pid, "SIGKILL");
        } catch {
          // bubblewrap takes along what is behind it.
        }
      }
    },
    "the daemon": async (play) => {
      await play.daemon.kill();
      await play.daemon.start();
    },
    "the engine": async (play) => {
      await play.engine.kill();
      await play.engine.start();
      await play.engine.docker("start", "before");
    },
  };

  for (const [who, kill] of Object.entries(cases)) {
    test(
      `${who} is killed while ${ENGINE_CONTAINERS} containers start and stop: all that is connected answers, nothing is orphaned or lost`,
      async (t) => {
        const play = await prepare();
        t.cleanup(() => churn?.stop());
        churn?.start();
        await churn?.goesOn(BEFORE);
        await kill(play);
        await churn?.goesOn(AFTER);
        await churn?.settle();
        assert.is(await allAnswer(play), 2 * (ENGINE_CONTAINERS + 1));
        await nothingOrphaned(play, play.types);
        // What was made before is what it was.
        assert.is(await play.hostHears(HOST.ipv4, 8100), "before");
        const [a, b] = [play.name("box"), play.name("box")];
        await play.engine.runIdle(a, "--network", old?.name ?? "");
        assert.is(await play.hears(a, "before", 80), "before");
        await play.engine.runIdle(b, "--network", busy?.name ?? "");
        assert.ok(await play.pings(b, "churn-0"));
        await play.engine.docker("rm", "-f", a, b);
      },
      { ms: 180_000, needs },
    );
  }

  test(
    "a plugin whose file is removed while it has networks: said with their names, and it serves on",
    async (t) => {
      const play = await open();
      const network = play.name("odd");
      await play.create(t, network, "odd");
      const id = await play.engine.docker("network", "inspect", "-f", "{{.Id}}", network);
      const file = join(play.daemon.plugins, "odd.js");
      const text = await readFile(file, "utf8");
      await rm(file);
      t.cleanup(() => play.daemon.put({ "odd.js": text }));
      await until(() => /ERR_PLUGIN_IN_USE/.test(play.daemon.log()), "the refusal", 10_000);
      const line = play.daemon
        .log()
        .split("\n")
        .find((one) => one.includes("ERR_PLUGIN_IN_USE"));
      assert.match(JSON.parse(line ?? "").msg, new RegExp(`plugin "odd".*${id}`));
      await play.engine.docker("run", "--rm", "--network", network, "busybox", "true");
    },
    { ms: 60_000, needs },
  );
}
