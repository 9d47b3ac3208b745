/** What a compose file makes, in plain commands: two networks with no subnets, published ports, restart policies, aliases. */
import { assert, type Suite, until } from "../../harness.js";
import { HOST, type Play } from "./play.js";

const ANSWER_MS = 20_000;

export function compose(test: Suite, open: () => Promise<Play>, needs: string | undefined): void {
  test(
    "a front and a back network, three services: all is well at first, after docker restart, both daemons killed, a power cut",
    async (t) => {
      const play = await open();
      const { engine } = play;
      const [front, back] = [play.name("shop_front"), play.name("shop_back")];
      // The compose file of src/docker/README.md: the back network has no way out, and no port of a container there alone is published.
      await play.create(t, front, "bridge");
      await play.create(t, back, "bridge", "--internal");
      const service = async (
        name: string,
        networks: readonly string[],
        ...args: readonly string[]
      ): Promise<string> => {
        const container = play.name(`shop-${name}`);
        const listen = ["busybox", "nc", "-ll", "-p", "80", "-e", "echo", name];
        const [first = "", ...rest] = networks;
        const alias = ["--network-alias", name, "--restart", "always", ...args];
        await engine.docker("create", "--name", container, "--network", first, ...alias, ...listen);
        for (const one of rest) await engine.docker("network", "connect", "--alias", name, one, container);
        await engine.docker("start", container);
        return container;
      };
      const db = await service("db", [back]);
      const api = await service("api", [back, front], "-p", "127.0.0.1:8381:80");
      const web = await service("web", [front], "-p", "8380:80", "--expose", "443", "-P");

      const well = async (when: string): Promise<void> => {
        await play.runs(db, api, web);
        const hears = (from: string, to: string) => play.hears(from, to, 80);
        await until(async () => (await hears(web, "api")) === "api", `${when}: web to api`, ANSWER_MS);
        await until(async () => (await hears(api, "db")) === "db", `${when}: api to db`, ANSWER_MS);
        assert.is(await hears(api, "web"), "web", when);
        assert.not((await hears(web, "db")) === "db", `${when}: web does not reach db`);
        await until(async () => (await play.hostHears("localhost", 8380)) === "web", `${when}: localhost`, ANSWER_MS);
        assert.is(await play.hostHears("127.0.0.1", 8381), "api", when);
        assert.is(await play.outsideHears(HOST.ipv4, 8380), "web", when);
        assert.is(await play.outsideHears(HOST.ipv4, 8381), "", when);
      };
      await well("at first");
      await engine.docker("restart", "-t", "0", db, api, web);
      await well("after docker restart");
      await Promise.all([engine.kill(), play.daemon.kill()]);
      await Promise.all([engine.start(), play.daemon.start()]);
      await well("after both daemons were killed");
      await play.daemon.kill();
      await play.daemon.start();
      await well("after ours was killed");
      await play.powerCut();
      await well("after a power cut");
    },
    { ms: 240_000, needs },
  );
}
