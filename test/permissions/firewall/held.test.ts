/** Published ports are reserved: against processes, against a stock engine, and after the holder or its platform was killed. */
import { execFileSync, spawn } from "node:child_process";
import { createFirewallHub } from "#dist/permissions/firewall/hub.js";
import type { FirewallRow } from "#dist/permissions/firewall/ledger.js";
import { ModelFirewall } from "#dist/permissions/firewall/model/model-firewall.js";
import { MemoryLedger } from "#dist/permissions/ledger.js";
import { assert, rejection, suite, until } from "../../harness.js";
import { SILENT } from "../../kit/logger.js";
import { noKernel, onBoth, ruleOf } from "../netlink/backends.js";
import { bridgeOf, firewallBench } from "./backends.js";
import { place, readyIn, saidIn, TAKE } from "./holder-place.js";
import { callFrom, serveIn } from "./server.js";

const test = suite("permissions/firewall/held");
const options = { ms: 60_000, needs: noKernel };
const WEB = { bridge: "bh-a", protocol: "tcp", hostPort: 8080, ip: "10.64.1.2", port: 80 } as const;

/** A ledger that outlives its hub, as one on a disk does. */
class LastingLedger extends MemoryLedger<FirewallRow> {
  override readonly durable = true as never;
}

test(
  "nobody else can take a published port, of either family; once it is withdrawn, anybody can",
  async (t) => {
    const { netns, fire } = await place(t);
    await fire("publish", WEB);
    await fire("publish", { ...WEB, protocol: "udp", hostPort: 8053 });
    const takes = [
      ["tcp", "0.0.0.0", "8080"],
      ["tcp", "::", "8080"],
      ["tcp", "127.0.0.1", "8080"],
      ["udp", "0.0.0.0", "8053"],
      ["udp", "::", "8053"],
    ];
    for (const one of takes) assert.is(await saidIn(t, netns, TAKE, ...one, "once"), "EADDRINUSE", one.join(" "));
    await fire("withdraw", { kind: "publish", ...WEB });
    await fire("withdraw", { kind: "publish", ...WEB, protocol: "udp", hostPort: 8053 });
    for (const one of takes) assert.is(await saidIn(t, netns, TAKE, ...one, "once"), "bound", one.join(" "));
  },
  options,
);

test(
  "a port that a process has is refused in the process's name, and its other ports are left as they were",
  async (t) => {
    const { netns, fire, rules } = await place(t);
    const taker = await readyIn(t, netns, TAKE, "tcp", "::1", "8080");
    const error = await rejection(fire("publish", WEB));
    assert.is(ruleOf(error), "listener");
    assert.match(error.message, new RegExp(`port 8080/tcp of :: is in use by process \\S+ \\(pid ${taker.pid}\\)`));
    assert.not.match(error.message, /withdraw/);
    assert.equal(await fire("rules"), []);
    assert.equal(await rules.tables(), []);
    assert.is(
      await saidIn(t, netns, TAKE, "tcp", "0.0.0.0", "8080", "once"),
      "bound",
      "the half that was free is again",
    );
    await fire("publish", { ...WEB, hostIP: "192.0.2.2" });
  },
  options,
);

test(
  "the process named is the one at that address, and a process names neither another one nor what it likes",
  async (t) => {
    const { netns, fire } = await place(t);
    const elsewhere = await readyIn(t, netns, TAKE, "tcp", "192.0.2.2", "8080");
    // What `ss` prints of it begins like the line of process 1.
    const forger = await readyIn(
      t,
      netns,
      `require("node:fs").writeFileSync("/proc/self/comm", 'x",pid=1,fd=9))');${TAKE}`,
      "tcp",
      "127.0.0.1",
      "8080",
    );
    const words = async (hostIP: string): Promise<string> =>
      (await rejection(fire("publish", { ...WEB, hostIP }))).message;
    assert.match(await words("127.0.0.1"), new RegExp(`of 127\\.0\\.0\\.1 is in use by process ${forger.pid};`));
    assert.match(await words("192.0.2.2"), new RegExp(`is in use by process \\S+ \\(pid ${elsewhere.pid}\\);`));
  },
  options,
);

onBoth(test, "what is given back in a turn can be taken in the same turn, otherwise", async (t, kind) => {
  const { ask, fire, firewall } = await firewallBench(t, kind);
  await bridgeOf(ask, "bh-a", "10.64.1.1/24");
  await fire("publish", WEB);
  await Promise.all([
    fire("withdraw", { kind: "publish", ...WEB }),
    fire("publish", { ...WEB, hostIP: "127.0.0.1", ip: "10.64.1.3" }),
  ]);
  assert.equal(await fire("rules"), [{ kind: "publish", ...WEB, hostIP: "127.0.0.1", ip: "10.64.1.3" }]);
  if (firewall.backend instanceof ModelFirewall) assert.is(firewall.backend.held.length, 1);
});

test(
  "a holder that is killed is started again, and all its ports are bound again; one taken meanwhile, when it is free",
  async (t) => {
    const said: string[] = [];
    const log = (_: object, message: string): void => void said.push(message);
    const { netns, box, fire, nft } = await place(t, { logger: { info: log, warn: log, error: log } });
    await serveIn(t, box, "tcp", "10.64.1.2", 80, "web");
    await fire("publish", WEB);
    await fire("publish", { ...WEB, hostPort: 8081 });
    const first = nft.holder.pid ?? 0;
    // Whatever tries for the port all the time has it before the holder is back.
    const taker = await readyIn(
      t,
      netns,
      `console.log("on"); const go = () => require("node:net").createServer().on("error", () => setTimeout(go, 1)).listen(8081, "0.0.0.0"); go();`,
    );
    process.kill(first, "SIGKILL");
    await until(
      async () => (await callFrom(netns, "tcp", "127.0.0.1", 8080, 300)) === "web 10.64.1.1",
      "port 8080",
      20_000,
    );
    assert.is.not(nft.holder.pid, first);
    await until(
      () => said.some((line) => /8081\/tcp is not held: .* is in use by process \S+ \(pid/.test(line)),
      "a word of 8081",
    );
    taker.kill("SIGKILL");
    await until(() => said.some((line) => line.includes("8081/tcp is held again")), "port 8081", 20_000);
    assert.is(await callFrom(netns, "tcp", "::1", 8081), "web 10.64.1.1");
  },
  options,
);

/** A platform: holds one port in a namespace, says its holder's id, and waits. */
const PLATFORM = `
const { NftBackend } = await import(process.argv[1]);
const quiet = { info() {}, warn() {}, error() {} };
const nft = new NftBackend(process.argv[2], quiet);
await nft.hold({ bridge: "b", protocol: "tcp", hostPort: 8080, ip: "10.64.1.2", port: 80 });
console.log(nft.holder.pid);
setInterval(() => {}, 1000);`;

test(
  "the holder ends with its platform, also one that is killed; the next one holds what its ledger says",
  async (t) => {
    const ledger = new LastingLedger();
    const { netns, hub, fire, firewall } = await place(t, { ledger });
    await fire("publish", WEB);
    await firewall.close();
    assert.is(await saidIn(t, netns, TAKE, "tcp", "0.0.0.0", "8080", "once"), "bound");

    const backend = import.meta.resolve("#dist/permissions/firewall/kernel/nft-backend.js");
    const platform = spawn(process.execPath, ["--input-type=module", "-e", PLATFORM, backend, netns], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    t.cleanup(() => platform.kill("SIGKILL"));
    const holder = Number(await new Promise((resolve) => platform.stdout.once("data", resolve)));
    assert.is(await saidIn(t, netns, TAKE, "tcp", "0.0.0.0", "8080", "once"), "EADDRINUSE");
    platform.kill("SIGKILL");
    const next = createFirewallHub({ netlink: hub, netns, logger: SILENT, ledger });
    t.cleanup(async () => {
      await next.release("bridge");
      await next.close();
    });
    await next.reconcile();
    await until(() => !isAlive(holder), "the end of the holder");
    await until(
      async () => (await saidIn(t, netns, TAKE, "tcp", "::", "8080", "once")) === "EADDRINUSE",
      "the port held again",
      20_000,
    );
  },
  options,
);

function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(execFileSync("cat", [`/proc/${pid}/status`], { encoding: "utf8", stdio: "pipe" }));
  } catch {
    return false;
  }
}

test.run();
