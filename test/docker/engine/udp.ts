/** Published UDP: a sender that never pauses arrives at the container that is there now, whatever the kernel remembers of it. */
import { assert, type Suite, type TestContext, until } from "../../harness.js";
import { AT_OUTSIDE, HOST, type Play } from "./play.js";

/** Answers each datagram with a word. */
const ECHO = `
const [port, word] = process.argv.slice(1);
const socket = require("dgram").createSocket({ type: "udp6" });
socket.on("message", (_, { address, port }) => socket.send(word, port, address)).bind(Number(port), () => console.log("ready"));
`;

/** Sends from one port, ten times a second, and prints each answer that is another than the last. */
const ASK = `
const [address, port] = process.argv.slice(1);
const socket = require("dgram").createSocket(address.includes(":") ? "udp6" : "udp4");
let last = "";
socket.on("message", (data) => { if (String(data) !== last) console.log(last = String(data)); }).on("error", () => {});
setInterval(() => socket.send("hello", Number(port), address, () => {}), 100);
`;

/** A container whose namespace has an echo at UDP port 80. */
async function echo(play: Play, t: TestContext, name: string, ...args: readonly string[]): Promise<void> {
  await play.engine.runIdle(name, ...args);
  const key = await play.engine.docker("inspect", "-f", "{{.NetworkSettings.SandboxKey}}", name);
  const server = play.stage.start(["nsenter", `--net=${key}`, process.execPath, "-e", ECHO, "80", name]);
  t.cleanup(() => server.kill("SIGKILL"));
  await until(() => server.said().includes("ready"), "the echo");
}

export function udp(test: Suite, open: () => Promise<Play>, needs: string | undefined): void {
  test(
    "senders that were active before the container started, and while one with another address took its place, arrive",
    async (t) => {
      const play = await open();
      const net = await play.net(t);
      const senders = [HOST.ipv4, HOST.ipv6].map((address) => {
        const sender = play.stage.start([...AT_OUTSIDE, process.execPath, "-e", ASK, address, "8340"]);
        t.cleanup(() => sender.kill("SIGKILL"));
        return { address, sender };
      });
      const local = play.stage.start([process.execPath, "-e", ASK, "127.0.0.1", "8340"]);
      t.cleanup(() => local.kill("SIGKILL"));
      const all = [...senders, { address: "127.0.0.1", sender: local }];
      // They have sent for a while, so the kernel has a flow of each that leads nowhere.
      await new Promise((resolve) => setTimeout(resolve, 1500));
      for (const host of [40, 41]) {
        const name = play.name("udp");
        const ips = ["--ip", net.ipv4(host), "--ip6", net.ipv6(host)];
        await echo(play, t, name, "--network", net.name, ...ips, "-p", "8340:80/udp");
        for (const { address, sender } of all)
          await until(
            () => sender.said().trim().endsWith(name),
            `an answer of ${name} at ${address}: ${sender.said()}`,
            5000,
          );
        await play.engine.docker("rm", "-f", name);
      }
      assert.is(all.length, 3);
    },
    { ms: 90_000, needs },
  );
}
