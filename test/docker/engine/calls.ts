/** What an engine asks of a driver, step by step, compared with what is known of its release: a newer one's change is seen. */
import { assert, type Suite } from "../../harness.js";
import { CALLS, type Step } from "./call-table.js";
import type { Play } from "./play.js";
import { RECORDED, Recorder } from "./recorder.js";

export function calls(test: Suite, open: () => Promise<Play>, needs: string | undefined): void {
  test(
    "the calls of each step are those that are known of this release",
    async (t) => {
      const play = await open();
      const { engine, kind } = play;
      const recorder = await Recorder.open(play, "bridge");
      t.cleanup(() => recorder.close());
      const [low, high] = ["calls-a", "calls-b"];
      for (const name of [low, high, "calls-i"]) t.cleanup(() => play.remove(name));
      const docker = engine.docker.bind(engine);
      const run = (...args: readonly string[]) =>
        docker("run", "-d", "--name", "calls", "--stop-timeout", "0", ...args, "busybox", "sleep", "1d");

      // In this order: each begins where the one before has ended.
      const steps: Readonly<Record<Step, () => Promise<unknown>>> = {
        "network create": () => docker("network", "create", "-d", RECORDED, "--subnet", "10.64.210.0/24", low),
        "network create, another": () =>
          docker("network", "create", "-d", RECORDED, "--subnet", "10.64.211.0/24", high),
        run: () => run("--network", low, "-p", "8210:80"),
        "connect, its name sorts higher": () => docker("network", "connect", high, "calls"),
        "disconnect the gateway network": () => docker("network", "disconnect", low, "calls"),
        "connect, its name sorts lower": () => docker("network", "connect", low, "calls"),
        restart: () => docker("restart", "-t", "0", "calls"),
        "rm -f, two networks": () => docker("rm", "-f", "calls"),
        "run without ports": () => run("--network", low),
        "rm -f, one network": () => docker("rm", "-f", "calls"),
        "connect --gw-priority": async () => {
          if (!kind.gatewayPriority) return;
          await run("--network", low, "-p", "8210:80");
          recorder.taken();
          await docker("network", "connect", "--gw-priority", "10", high, "calls");
        },
        "disconnect that one": async () => {
          if (kind.gatewayPriority) await docker("network", "disconnect", high, "calls");
        },
        "engine killed, started, one network": async () => {
          await docker("rm", "-f", "calls").catch(() => undefined);
          await run("--network", low, "-p", "8210:80");
          recorder.taken();
          await engine.kill();
          await engine.start();
        },
        "start after that": () => docker("start", "calls"),
        "engine killed, started, two networks": async () => {
          await docker("network", "connect", high, "calls");
          recorder.taken();
          await engine.kill();
          await engine.start();
        },
        "internal network create": () =>
          docker("network", "create", "-d", RECORDED, "--internal", "--subnet", "10.64.212.0/24", "calls-i"),
        "run --internal with -p": async () => {
          await docker("rm", "-f", "calls");
          recorder.taken();
          await run("--network", "calls-i", "-p", "8210:80");
        },
        "rm -f, --internal": () => docker("rm", "-f", "calls"),
        "network rm": () => docker("network", "rm", "calls-i"),
      };
      const known = CALLS[kind.release];
      for (const [step, does] of Object.entries(steps) as [Step, () => Promise<unknown>][]) {
        recorder.taken();
        await does();
        const said = recorder.taken();
        assert.ok([known[step]].flat().includes(said), `${step}: ${said}, not ${[known[step]].flat().join(", or ")}`);
      }
    },
    { ms: 180_000, needs },
  );
}
