/** A driver that hangs in each of its nine methods in turn: who asked for it is answered by the deadline, everybody else at once. */
import { rm } from "node:fs/promises";
import { assert, type Suite } from "../../harness.js";
import { CALLED, hangingAtStart, hangType } from "./drivers.js";
import type { Play } from "./play.js";
import type { Ran } from "./programs.js";

/** What a person who lists things waits at most, in milliseconds. */
const LIST_MS = 1000;
/** By then the gateway has answered any request; the rest is for the engine, on a busy machine. */
const ANSWER_MS = 10_000 + 5000;
/** An engine asks again for a plugin that it does not find, for about so long. */
const SEARCH_MS = 15_000 + 5000;

/** Methods whose failure an engine only logs: a delete or a Leave cannot be refused. What is only read, the host may ask again. */
const UNHEARD: readonly string[] = ["leave", "deleteEndpoint", "deleteNetwork", "endpointOperInfo"];

/** Lists again and again until `hung` has ended. Gives the slowest list of those that began and ended while it hung. */
async function listWhile(play: Play, hung: Promise<Ran>): Promise<number> {
  let over = false;
  void hung.then(() => {
    over = true;
  });
  const took: number[] = [];
  while (!over) {
    for (const command of [["ps"], ["network", "ls"]]) {
      const { code, ms, err } = await play.engine.tryDocker(command);
      assert.is(code, 0, err);
      took.push(ms);
    }
  }
  return Math.max(...took);
}

export function hangs(test: Suite, open: () => Promise<Play>, needs: string | undefined) {
  const cases: readonly (readonly [method: string, deed: "hang" | "forget"])[] = [
    ...CALLED.map((method) => [method, "hang"] as const),
    ["createEndpoint", "forget"],
    ["join", "forget"],
  ];
  for (const [method, deed] of cases) {
    test(
      `a driver that ${deed === "hang" ? "holds its worker" : "never answers"} in ${method}: lists answer within ${LIST_MS} ms, the command ends, the next works`,
      async (t) => {
        const play = await open();
        const network = play.name("hang");
        const create = ["network", "create", "-d", `${play.daemon.prefix}${hangType(method)}`];
        const use = ["run", "--rm", "--network", network, "busybox", "echo", "used"];
        t.cleanup(() => play.remove(network));
        const making = play.engine.tryDocker([...create, "-o", `${deed}=${method}`, network]);
        const made = method === "createNetwork" ? making : making.then(() => undefined);
        let hung = await made;
        const doing = method === "deleteNetwork" ? ["network", "rm", network] : use;
        const command = hung ? making : play.engine.tryDocker(doing);
        const slowest = await listWhile(play, command);
        hung = await command;
        assert.ok(hung.ms < ANSWER_MS, `it ended after ${hung.ms} ms`);
        if (!UNHEARD.includes(method)) {
          assert.not(hung.code === 0);
          assert.match(hung.err, new RegExp(`driver "${hangType(method)}"`));
        }
        if (slowest !== Number.NEGATIVE_INFINITY) assert.ok(slowest < LIST_MS, `a list took ${slowest} ms`);
        if (method === "createNetwork" || method === "deleteNetwork") await play.engine.docker(...create, network);
        assert.is(await play.engine.docker(...use), "used");
        await play.engine.docker("network", "rm", network);
      },
      { ms: 90_000, needs },
    );
  }

  test(
    "a driver that hangs in type or config is not in service, and keeps nobody waiting",
    async (t) => {
      const play = await open();
      t.cleanup(() => rm(`${play.daemon.plugins}/latetype.js`, { force: true }));
      t.cleanup(() => rm(`${play.daemon.plugins}/lateconfig.js`, { force: true }));
      await play.daemon.put({ "latetype.js": hangingAtStart("type"), "lateconfig.js": hangingAtStart("config") });
      const commands = ["latetype", "lateconfig"].map((type) =>
        play.engine.tryDocker(["network", "create", "-d", `${play.daemon.prefix}${type}`, play.name("late")]),
      );
      const network = play.name("odd");
      await play.create(t, network, "odd");
      const slowest = await listWhile(
        play,
        Promise.all(commands).then(([first]) => first as Ran),
      );
      assert.ok(slowest < LIST_MS, `a list took ${slowest} ms`);
      for (const { code, err, ms } of await Promise.all(commands)) {
        assert.not(code === 0);
        assert.match(err, /not found|no such|connect/i);
        assert.ok(ms < SEARCH_MS, `it ended after ${ms} ms`);
      }
      await play.served(...play.types);
      await play.engine.docker("run", "--rm", "--network", network, "busybox", "true");
    },
    { ms: 90_000, needs },
  );
}
