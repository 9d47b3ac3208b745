/** Open connections pass a short way through the table, and are still cut off by what keeps their bridge apart. */
import { execFileSync, spawn } from "node:child_process";
import { assert, suite, type TestContext } from "../../harness.js";
import { type Container, containerIn } from "../../plugins/container.js";
import { noKernel } from "../netlink/backends.js";
import { house } from "./house.js";

const test = suite("permissions/firewall/open-flows");
const PORT = 7000;

/** Echoes in a namespace until the test ends. */
async function echoIn(t: TestContext, netns: string): Promise<void> {
  const code = `require("node:net").createServer((c) => c.on("error", () => {}).pipe(c)).listen(${PORT}, () => console.log("ready"))`;
  const child = spawn("nsenter", [`--net=/run/netns/${netns}`, process.execPath, "-e", code], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  t.cleanup(async () => {
    child.kill("SIGKILL");
    await ended;
  });
  await new Promise<void>((resolve) => child.stdout.once("data", () => resolve()));
}

/** True if anything comes back on a container's stream within some time, of what it sends every 20 ms. */
async function flows(container: Container): Promise<boolean> {
  // What was sent before the last change may still arrive.
  await new Promise((resolve) => setTimeout(resolve, 100));
  await container("streamed", {});
  await new Promise((resolve) => setTimeout(resolve, 500));
  return (await container("streamed", {})).bytes > 0;
}

test(
  "what isolates a bridge ends its open connections to the plugin's other bridges, and to outside if it is internal",
  async (t) => {
    const { fire, outside, a1, a2, b1 } = await house(t);
    await echoIn(t, outside);
    await echoIn(t, b1);
    const isolated = { bridge: "bh-a" };
    await fire("masquerade", { bridge: "bh-a", subnet: "10.64.1.0/24" });
    const [out, across] = [await containerIn(t, a1), await containerIn(t, a2)];
    assert.is(await out("stream", { ip: "192.0.2.1", port: PORT }), true);
    assert.is(await across("stream", { ip: "10.64.2.2", port: PORT }), true);
    assert.equal([await flows(out), await flows(across)], [true, true]);
    await fire("isolate", isolated);
    assert.equal([await flows(out), await flows(across)], [true, false]);
    await fire("withdraw", { kind: "isolate", ...isolated });
    await fire("isolate", { ...isolated, internal: true });
    assert.equal([await flows(out), await flows(across)], [false, false]);
  },
  { ms: 90_000, needs: noKernel },
);

test(
  "a connection that a confined bridge has open outlives its entry, but not a source that is not behind the bridge",
  async (t) => {
    const { netns, fire, outside, a1 } = await house(t);
    await echoIn(t, outside);
    await fire("isolate", { bridge: "bh-a", outgoing: "allowed" });
    await fire("masquerade", { bridge: "bh-a", subnet: "10.64.1.0/24" });
    const target = { bridge: "bh-a", to: "192.0.2.1", protocol: "tcp", port: PORT };
    await fire("allow", { ...target, seconds: 60 });
    const container = await containerIn(t, a1);
    assert.is(await container("stream", { ip: "192.0.2.1", port: PORT }), true);
    await fire("withdraw", { kind: "allow", ...target });
    assert.is(await flows(container), true);
    assert.is(await (await containerIn(t, a1))("call", { ip: "192.0.2.1", port: PORT, ms: 700 }), "EHOSTUNREACH");
    // The way back to the container's address is another link's now.
    execFileSync("ip", ["-n", netns, "route", "add", "10.64.1.2/32", "dev", "bh-b"]);
    assert.is(await flows(container), false);
  },
  { ms: 90_000, needs: noKernel },
);

test.run();
