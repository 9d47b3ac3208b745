/** How long `docker run` takes on a network of ours, next to the engine's own bridge. */
import { assert, type Suite } from "../../harness.js";
import type { Play } from "./play.js";

const RUNS = 5;

export function timing(test: Suite, open: () => Promise<Play>, needs: string | undefined) {
  test(
    "docker run on a network of ours and on the engine's own bridge: the ratio is reported",
    async (t) => {
      const play = await open();
      const ours = (await play.net(t)).name;
      const theirs = play.name("own");
      t.cleanup(() => play.remove(theirs));
      await play.engine.docker("network", "create", "-d", "bridge", theirs);
      const took: Record<string, number[]> = { [ours]: [], [theirs]: [] };
      for (let n = 0; n < RUNS; n++) {
        for (const name of [ours, theirs]) {
          const { ms, code, err } = await play.engine.tryDocker(["run", "--rm", "--network", name, "busybox", "true"]);
          assert.is(code, 0, err);
          took[name]?.push(ms);
        }
      }
      const median = (name: string): number => (took[name] ?? []).sort((a, b) => a - b)[Math.floor(RUNS / 2)] ?? 0;
      const [mine, its] = [median(ours), median(theirs)];
      console.log(
        `\nNOTE docker run: ${Math.round(mine)} ms on a network of ours, ${Math.round(its)} ms on the engine's own bridge, ratio ${(mine / its).toFixed(2)}`,
      );
    },
    { ms: 90_000, needs },
  );
}
