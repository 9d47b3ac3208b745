/** Plugin sockets: nobody who holds or removes one keeps the daemon from ending or from serving. */
import { rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { assert, type Suite, type TestContext, until } from "../../harness.js";
import { plugin } from "../../kit/plugins.js";
import { type Play, SOCKETS } from "./play.js";

/** A type of the test's own that comes later. */
const LATER = plugin("later");

/** Connections to the bridge driver's socket: one that says nothing, one in the middle of its headers, one of its body. */
async function halfway(play: Play, t: TestContext): Promise<void> {
  for (const text of [
    "",
    "POST /NetworkDriver.Join HT",
    "POST /NetworkDriver.Join HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{",
  ]) {
    const socket = await new Promise<Socket>((resolve, reject) => {
      const one = connect(play.stage.seen(`${SOCKETS}/${play.daemon.prefix}bridge.sock`), () => resolve(one));
      one.once("error", reject);
    });
    // Ended by the daemon, as is meant.
    socket.on("error", () => {});
    t.cleanup(() => socket.destroy());
    socket.write(text);
  }
}

export function sockets(test: Suite, open: () => Promise<Play>, needs: string | undefined): void {
  test(
    "connections that are idle or stop halfway hold up neither a later type nor SIGTERM",
    async (t) => {
      const play = await open();
      await halfway(play, t);
      await play.daemon.put({ "later.js": LATER });
      t.cleanup(async () => {
        rmSync(`${play.daemon.plugins}/later.js`, { force: true });
        await play.served(...play.types);
      });
      await play.served(...play.types, "later");
      const killed = play.daemon.kill("SIGTERM");
      const late = new Promise<"late">((resolve) => setTimeout(resolve, 15_000, "late").unref());
      const how = await Promise.race([killed, late]);
      if (how === "late") await play.daemon.kill();
      await play.daemon.start();
      assert.is(how, undefined, "it ended within 15 s of SIGTERM");
    },
    { ms: 90_000, needs },
  );

  test(
    "a socket, and the folder of sockets, removed by somebody else come back",
    async () => {
      const play = await open();
      await play.served(...play.types);
      for (const path of [`${SOCKETS}/${play.daemon.prefix}bridge.sock`, SOCKETS]) {
        await play.stage.text("rm", "-r", path);
        await until(
          async () => (await play.stage.run(["test", "-S", `${SOCKETS}/${play.daemon.prefix}bridge.sock`])).code === 0,
          path,
          20_000,
        );
        await play.served(...play.types);
      }
    },
    { ms: 90_000, needs },
  );

  test(
    "a second daemon on the same folder of sockets ends with the reason, and the first serves on",
    async (t) => {
      const play = await open();
      const [at = -1] = [play.daemon.serve.indexOf(play.daemon.dataDir)];
      const second = play.stage.start(play.daemon.serve.with(at, play.stage.path("second")));
      t.cleanup(() => second.kill("SIGKILL"));
      const late = new Promise<string>((resolve) => setTimeout(resolve, 30_000, "it runs on").unref());
      const how = await Promise.race([second.ended, late]);
      assert.is(how, "1", second.log());
      assert.not(second.said().includes("ready"), second.said());
      assert.match(second.log(), /\/run\/docker\/plugins/);
      const net = await play.net(t);
      await play.engine.docker("run", "--rm", "--network", net.name, "busybox", "true");
    },
    { ms: 90_000, needs },
  );
}
