/** What somebody else does to rules, links and sysctls of the machine is restored, and said. */
import { type Suite, until } from "../../harness.js";
import { apart, bothWays } from "./outside.js";
import { HOST, OUTSIDE, type Play } from "./play.js";

/** How long it takes at most until what was changed is as it was, in milliseconds. */
const RESTORED_MS = 15_000;

/** Name of the bridge that has an address. */
async function bridgeOf(play: Play, address: string): Promise<string> {
  return play.stage.sh(`ip -o -4 addr show to ${address} | awk '{ print $2 }'`);
}

export function others(test: Suite, open: () => Promise<Play>, needs: string | undefined): void {
  test(
    "nft flush ruleset: isolation, ports and the way out are restored; the log says so",
    async (t) => {
      const play = await open();
      const [one, two] = [await play.net(t), await play.net(t)];
      const a = await play.engine.runTalker(play.name("box"), 80, "--network", one.name, "-p", "8350:80");
      await play.engine.runTalker(play.name("box"), 80, "--network", two.name);
      // The engine's rules went too, and it sets them up at its start.
      t.cleanup(() => play.engine.start());
      t.cleanup(() => play.engine.kill("SIGTERM"));
      const before = play.daemon.log().length;
      await play.stage.text("nft", "flush", "ruleset");
      await until(async () => (await play.outsideHears(HOST.ipv4, 8350)) === a, "the port", RESTORED_MS);
      await bothWays(play, a, 8350);
      await apart(play, a, two);
      await until(() => /restored|again/i.test(play.daemon.log().slice(before)), "the log's line", RESTORED_MS);
    },
    { ms: 120_000, needs },
  );

  test(
    "a bridge deleted, and one renamed: its containers and their ports are there again",
    async (t) => {
      const play = await open();
      for (const deed of ["link del DEV", "link set DEV name stranger0"]) {
        const net = await play.net(t);
        const a = await play.engine.runTalker(play.name("box"), 80, "--network", net.name, "-p", "8351:80");
        const b = await play.engine.runIdle(play.name("box"), "--network", net.name);
        const dev = await bridgeOf(play, net.ipv4(1));
        await play.stage.sh(`ip ${deed.replace("DEV", dev)}`);
        await until(async () => (await play.hears(b, net.ipv4(2), 80)) === a, `${deed}: the neighbour`, RESTORED_MS);
        await until(async () => (await play.outsideHears(HOST.ipv4, 8351)) === a, `${deed}: the port`, RESTORED_MS);
        // A renamed bridge goes on forwarding, so the two lines above can hold before its name is back.
        await until(async () => (await bridgeOf(play, net.ipv4(1))) === dev, `${deed}: the name`, RESTORED_MS);
        await play.engine.docker("rm", "-f", a, b);
        await play.remove(net.name);
      }
    },
    { ms: 120_000, needs },
  );

  test(
    "forwarding switched off is switched on again",
    async (t) => {
      const play = await open();
      const net = await play.net(t);
      const a = await play.engine.runIdle(play.name("box"), "--network", net.name);
      t.cleanup(() => play.stage.sh("sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1"));
      await play.stage.sh("sysctl -qw net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0");
      for (const address of [OUTSIDE.ipv4, OUTSIDE.ipv6])
        await until(async () => (await play.hears(a, address, OUTSIDE.port)) === OUTSIDE.word, address, RESTORED_MS);
    },
    { ms: 90_000, needs },
  );
}
