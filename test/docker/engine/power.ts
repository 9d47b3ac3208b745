/** The power is cut, or the engine is killed: what its own bridge would bring back, ours does. And a set-up as compose makes it. */
import { assert, type Suite, until } from "../../harness.js";
import { bothWays } from "./outside.js";
import { HOST, type Play } from "./play.js";

/** How long after its start a container's port may take to answer, in milliseconds. */
const ANSWER_MS = 20_000;

/** A port answers on localhost and from outside, with a container's name. */
async function answers(play: Play, name: string, port: number): Promise<void> {
  await until(async () => (await play.hostHears("127.0.0.1", port)) === name, `${name} at ${port}`, ANSWER_MS);
  assert.is(await play.outsideHears(HOST.ipv4, port), name, `outside: ${port}`);
}

export function power(test: Suite, open: () => Promise<Play>, needs: string | undefined): void {
  for (const sameBoot of [false, true]) {
    test(
      `everything killed at once, links, rules and runtime files gone${sameBoot ? ", within the same boot" : ""}: containers with a restart policy run and answer`,
      async (t) => {
        const play = await open();
        const [one, two] = [await play.net(t), await play.net(t)];
        const [a, b, own] = [play.name("box"), play.name("box"), play.name("own")];
        t.cleanup(() => play.engine.docker("rm", "-f", own));
        const always = ["--restart", "always"];
        await play.engine.runTalker(a, 80, "--network", one.name, "-p", "8370:80", ...always);
        const listen = ["busybox", "nc", "-ll", "-p", "80", "-e", "echo", b];
        await play.engine.docker("create", "--name", b, "--network", one.name, "-p", "8371:80", ...always, ...listen);
        await play.engine.docker("network", "connect", two.name, b);
        await play.engine.docker("start", b);
        await play.engine.runTalker(own, 80, "-p", "8372:80", ...always);
        await play.powerCut({ sameBoot });
        await play.runs(own, a, b);
        await answers(play, own, 8372);
        await answers(play, a, 8370);
        await answers(play, b, 8371);
        await bothWays(play, a, 8370);
        // What is stopped now and started again finds no leftovers of itself either.
        await play.engine.docker("restart", "-t", "0", a, b);
        await answers(play, a, 8370);
        await answers(play, b, 8371);
      },
      { ms: 180_000, needs },
    );
  }

  test(
    "the engine killed alone: every container that its own bridge brings back comes back, on one network and on two",
    async (t) => {
      const play = await open();
      const { engine } = play;
      const [one, two] = [await play.net(t), await play.net(t)];
      const ports: Readonly<Record<string, readonly [number, number]>> = {
        always: [8374, 8375],
        "on-failure": [8376, 8377],
      };
      const policies = ["always", "unless-stopped", "on-failure"];
      for (const policy of policies) {
        const [a = 0, b = 0] = ports[policy] ?? [];
        const publish = (port: number): readonly string[] => (port === 0 ? [] : ["-p", `${port}:80`]);
        t.cleanup(() => engine.docker("rm", "-f", `own-${policy}`));
        await engine.runTalker(`own-${policy}`, 80, "--restart", policy);
        const fixed = ["--ip", one.ipv4(70 + policies.indexOf(policy))];
        await engine.runTalker(
          `one-${policy}`,
          80,
          "--network",
          one.name,
          ...fixed,
          ...publish(a),
          "--restart",
          policy,
        );
        await engine.runTalker(`two-${policy}`, 80, "--network", two.name, ...publish(b), "--restart", policy);
        await engine.docker("network", "connect", one.name, `two-${policy}`);
      }
      for (let n = 0; n < 2; n++) {
        await engine.kill();
        await engine.start();
        await play.runs("own-always");
        // Which policies a killed engine heeds is its own affair: "unless-stopped" it does not, up to 28.5.
        const running = (await play.running()).map(({ Names: [name = ""] }) => name.slice(1));
        const back = policies.filter((policy) => running.includes(`own-${policy}`));
        await play.runs(...back.flatMap((policy) => [`one-${policy}`, `two-${policy}`]));
        for (const policy of back)
          for (const [at, port] of (ports[policy] ?? []).entries())
            await answers(play, `${["one", "two"][at]}-${policy}`, port);
      }
    },
    { ms: 180_000, needs },
  );
}
