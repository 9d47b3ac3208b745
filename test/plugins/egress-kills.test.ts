/**
 * Parts of the egress driver's are killed and what it programmed is deleted, at random and under traffic: nothing unlisted comes out,
 * open streams go on, and names are resolved again. BULKHEAD_EGRESS_KILLS: how often; BULKHEAD_SEED: in which order.
 */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { EGRESS_KILLS } from "../amounts.js";
import { assert, suite, until } from "../harness.js";
import { noBubblewrap } from "../isolation/walled.js";
import { noKernel } from "../permissions/netlink/backends.js";
import type { Container } from "./container.js";
import { type Host, hostsIn } from "./egress-host.js";
import { OTHER, UNLISTED, UNLISTED6, WEB, type World, world } from "./egress-house.js";

const test = suite("plugins/egress-kills");
const needs = noBubblewrap ?? noKernel;
const SEED = Number(process.env.BULKHEAD_SEED ?? Math.floor(Math.random() * 2 ** 31));
const IN_VAIN = 300;
/** Crashes after which the plugin is loaded again: the breaker opens at the fifth. */
const CRASHES_A_LOAD = 3;

interface Scene extends World {
  host: Host;
  /** Since the plugin was loaded. */
  crashes: number;
  readonly start: () => Promise<Host>;
}

interface Attack {
  readonly what: string;
  strike(at: Scene): Promise<void>;
  /** The stream may break: nothing translates addresses any more. */
  readonly breaks?: true;
}

const ATTACKS: readonly Attack[] = [
  { what: "the plugin's process is killed", strike: (at) => signal(at, "plugin", "SIGKILL") },
  { what: "the plugin's process hangs", strike: (at) => signal(at, "plugin", "SIGSTOP") },
  { what: "the resolver's process is killed", strike: (at) => signal(at, "resolver", "SIGKILL") },
  {
    what: "the plugin is reloaded",
    async strike(at) {
      assert.is(await at.host.say("reload"), "done");
      at.crashes = 0;
    },
  },
  {
    what: "the platform is killed",
    async strike(at) {
      await at.host.kill();
      at.host = await at.start();
      at.crashes = 0;
    },
  },
  {
    what: "the table is deleted",
    async strike({ netns }) {
      const listed = inNetns(netns, "nft", "list", "tables");
      inNetns(netns, "nft", "delete", "table", "inet", /inet (bulkhead_\S+_egress)/.exec(listed)?.[1] ?? "");
    },
  },
  {
    what: "the rules of policy routing are deleted",
    async strike({ netns }) {
      for (const family of ["-4", "-6"]) inNetns(netns, "ip", family, "rule", "flush", "pref", "90");
    },
  },
  {
    what: "all tables of the namespace are deleted",
    breaks: true,
    async strike({ netns }) {
      inNetns(netns, "nft", "flush", "ruleset");
      others(netns);
    },
  },
];

test(
  `${EGRESS_KILLS} times, seed ${SEED}: 0 packets that are not listed come out, and a stream that is open stays open`,
  async (t) => {
    const around = await world(t);
    const start = await hostsIn(t, around.netns, { allow: "api.example.com:80-81,*.mirror.example:80" });
    const at: Scene = { ...around, host: await start(), start, crashes: 0 };
    const { run, name } = await at.box();
    others(at.netns);
    assert.is(await at.host.say(`join ${name}`), "done");
    await opened(run);
    const tries = attack(run);
    for (const { what, strike, breaks } of order(EGRESS_KILLS)) {
      await strike(at);
      // Names are answered again, and what they lead to is reached.
      let data: readonly string[] = [];
      while (data[0] !== OTHER) ({ data } = await run("resolve", { name: "deb.mirror.example", ms: 500 }));
      let text = "";
      while (!text.startsWith("web")) text = await run("call", { ip: OTHER, port: 80, ms: 500 });
      // Each of the two barriers holds alone; an attack on the other may come once both are there.
      await until(() => guarded(at.netns), `rules of policy routing after this: ${what}`, 60_000);
      if (!(await flows(run))) {
        assert.ok(breaks, `after this the stream is closed: ${what}`);
        await opened(run);
      }
      assert.is(at.strays(), 0, `packets outside that were not listed, after this: ${what}`);
      if (at.crashes < CRASHES_A_LOAD) continue;
      assert.is(await at.host.say("reload"), "done");
      at.crashes = 0;
    }
    assert.ok((await tries()) > 0, "it was tried");
    assert.is(at.strays(), 0, "packets outside that were not listed");
    assert.is(await at.host.say("delete"), "done");
  },
  { ms: 60_000 + EGRESS_KILLS * 30_000, needs },
);

/** All attacks in a random order, and again in another one, so many in all. */
function order(count: number): readonly Attack[] {
  let state = SEED >>> 0;
  const random = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  const rounds = Array.from({ length: Math.ceil(count / ATTACKS.length) }, () =>
    ATTACKS.map((one) => ({ one, at: random() })).sort((a, b) => a.at - b.at),
  );
  return rounds
    .flat()
    .map(({ one }) => one)
    .slice(0, count);
}

/** Another program's translation of addresses, as an engine has it: without any, the kernel takes replies for its own, and resets. */
function others(netns: string): void {
  for (const family of ["ip", "ip6"]) {
    const chains = ["prerouting", "postrouting"].map(
      (hook) => `add chain ${family} other ${hook} { type nat hook ${hook} priority 0; }`,
    );
    const rule = `add rule ${family} other postrouting oifname "none" masquerade`;
    inNetns(netns, "nft", [`add table ${family} other`, ...chains, rule].join("; "));
  }
}

/** True if the kernel routes nothing of the bridge that is not marked, in both families. */
function guarded(netns: string): boolean {
  return ["-4", "-6"].every((family) =>
    inNetns(netns, "ip", family, "rule", "list", "pref", "90").includes("prohibit"),
  );
}

async function signal(at: Scene, who: "plugin" | "resolver", name: "SIGKILL" | "SIGSTOP"): Promise<void> {
  const [plugin, resolver] = (await at.host.say("pids")).split(" ").map(Number);
  const pid = (who === "plugin" ? plugin : resolver) ?? 0;
  const words = who === "plugin" ? "host-process" : "resolver";
  assert.ok(pid > 1 && readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(words), `process ${pid} of the ${who}`);
  process.kill(pid, name);
  if (who === "plugin") at.crashes++;
}

async function opened(run: Container): Promise<void> {
  let data: readonly string[] = [];
  while (data[0] !== WEB) ({ data } = await run("resolve", { name: "api.example.com", ms: 500 }));
  assert.is(await run("stream", { ip: WEB, port: 81 }), true);
}

/** Resolves with true when something comes back on the stream, with false when it is closed. */
async function flows(run: Container): Promise<boolean> {
  await run("streamed", {});
  let stream = await run("streamed", {});
  while (stream.open && stream.bytes === 0) stream = await run("streamed", {});
  return stream.open;
}

/** Tries what is not listed until it is called; resolves with how often. */
function attack(run: Container): () => Promise<number> {
  let [over, tries] = [false, 0];
  const trying = (async () => {
    while (!over) {
      const ways = [
        run("call", { ip: UNLISTED, port: 443, ms: IN_VAIN }),
        run("call", { ip: UNLISTED6, port: 443, ms: IN_VAIN }),
        run("call", { ip: UNLISTED, port: 53, protocol: "udp", ms: IN_VAIN }),
        run("call", { ip: WEB, port: 7000, ms: IN_VAIN }),
      ] as const;
      for (const text of await Promise.all(ways)) assert.not.match(text, /^web/);
      tries++;
    }
    return tries;
  })();
  trying.catch(() => {});
  return () => {
    over = true;
    return trying;
  };
}

function inNetns(netns: string, ...command: string[]): string {
  const { status, stdout, stderr } = spawnSync("nsenter", [`--net=/run/netns/${netns}`, ...command], {
    encoding: "utf8",
  });
  assert.is(status, 0, `${command.join(" ")}: ${stderr}`);
  return stdout;
}

test.run();
