/** Firewalls of the machine's own beside an engine's: they drop what they do not know, and come and go. */
import { program } from "#dist/permissions/netlink/kernel/programs.js";
import { assert, type Suite, type TestContext, until } from "../../harness.js";
import { bothWays } from "./outside.js";
import { OUTSIDE, type Play } from "./play.js";

/** How long after a firewall's change the way out may be shut, in milliseconds. */
const OPEN_MS = 15_000;

/** Why a test cannot run, by the Debian package that is missing. */
function missing(name: string): string | undefined {
  return program(name) === undefined ? `there is no "${name}" (Debian: apt-get install ${name})` : undefined;
}

async function allWell(play: Play, name: string, port: number, when: string): Promise<void> {
  for (const address of [OUTSIDE.ipv4, OUTSIDE.ipv6])
    await until(
      async () => (await play.hears(name, address, OUTSIDE.port)) === OUTSIDE.word,
      `${when}: ${address}`,
      OPEN_MS,
    );
  await bothWays(play, name, port);
}

/** firewalld and the bus it needs; they end with the test. */
async function startFirewalld(play: Play, t: TestContext): Promise<() => Promise<void>> {
  await play.stage.sh("mkdir -p /run/dbus");
  const bus = play.stage.start(["dbus-daemon", "--system", "--nofork", "--nopidfile"]);
  t.cleanup(() => bus.kill("SIGKILL"));
  await until(async () => (await play.stage.run(["test", "-S", "/run/dbus/system_bus_socket"])).code === 0, "the bus");
  const start = async (): Promise<() => Promise<void>> => {
    const one = play.stage.start(["firewalld", "--nofork", "--nopid"]);
    t.cleanup(() => one.kill("SIGTERM"));
    await until(async () => (await play.stage.run(["firewall-cmd", "--state"])).code === 0, "firewalld", 30_000);
    return async () => {
      await one.kill("SIGTERM");
      await start();
    };
  };
  return start();
}

export function firewalls(test: Suite, open: () => Promise<Play>, needs: string | undefined): void {
  test(
    "ufw enabled, reloaded and disabled: outside and published ports are there each time",
    async (t) => {
      const play = await open();
      const net = await play.net(t);
      const a = await play.engine.runTalker(play.name("box"), 80, "--network", net.name, "-p", "8305:80");
      t.cleanup(() => play.stage.run(["ufw", "disable"]));
      for (const command of [["--force", "enable"], ["reload"], ["disable"]]) {
        await play.stage.text("ufw", ...command);
        await allWell(play, a, 8305, `ufw ${command.join(" ")}`);
      }
    },
    { ms: 120_000, needs: needs ?? missing("ufw") },
  );

  test(
    "firewalld started, reloaded and restarted: outside and published ports are there each time; a new network too",
    async (t) => {
      const play = await open();
      const net = await play.net(t);
      const a = await play.engine.runTalker(play.name("box"), 80, "--network", net.name, "-p", "8306:80");
      // firewalld removes an engine's rules when it starts, and an engine that was there before it hears of that over the bus alone.
      t.cleanup(() => play.engine.start());
      t.cleanup(() => play.engine.kill("SIGTERM"));
      const restart = await startFirewalld(play, t);
      await allWell(play, a, 8306, "started");
      await play.stage.text("firewall-cmd", "--reload");
      await allWell(play, a, 8306, "reloaded");
      await restart();
      await allWell(play, a, 8306, "restarted");
      const later = await play.net(t);
      const b = await play.engine.runTalker(play.name("box"), 80, "--network", later.name, "-p", "8307:80");
      await allWell(play, b, 8307, "a new network");
      // Other wires are as strict as firewalld has them.
      assert.match(await play.stage.text("firewall-cmd", "--get-active-zones"), /bh-/);
    },
    { ms: 180_000, needs: needs ?? missing("firewalld") },
  );
}
