/**
 * plugins/README.md from its first command to its last, typed unchanged: from the package of a clone to a TypeScript driver of one's
 * own in another folder, checked by its types, granted at the first try, served, called, and stopped on the running daemon.
 */
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { assert, suite, until } from "../harness.js";
import { noBubblewrap } from "../isolation/walled.js";
import { block, terminal } from "./terminal.js";

const test = suite("newcomer: an own TypeScript driver");

/** True where Node can profile a worker: from 24.8 on. */
const CAN = "startCpuProfile" in Worker.prototype;

function curlMissing(): string | undefined {
  try {
    execFileSync("curl", ["--version"], { stdio: "ignore" });
    return undefined;
  } catch {
    return "curl is not installed";
  }
}

test(
  "every command of the page works, in its order",
  async (t) => {
    const { folder, type, start } = await terminal(t);
    const plugin = join(folder, "plugins/greet.ts");
    const source = await block("greet.ts");

    await writeFile(plugin, source);
    const check = await type(await block("check"));
    assert.match(check.stdout, /registered {3}greet \(local\)/);
    assert.match(check.stdout, /console {6}greet is ready/);
    await writeFile(plugin, source.replace("scope: LocalScope", 'scope: "lokal"'));
    const [tsc = ""] = (await block("check")).split("\n");
    const refused = await type(tsc).then(
      () => "",
      ({ stdout }: { readonly stdout: string }) => stdout,
    );
    assert.match(refused, /^plugins\/greet\.ts\(\d+,\d+\): error .*"lokal"/m);
    await writeFile(plugin, source);

    await writeFile(join(folder, "try.mjs"), await block("try.mjs"));
    const tried = await type("node try.mjs");
    assert.is(tried.stdout, "{ address: '10.50.0.2/24' }\n");
    assert.match(tried.stderr, /^\[greet\] .*network net1 is created$/m);

    await writeFile(join(folder, "plugins/greet.plugin.json"), await block("greet.plugin.json"));
    assert.match((await type("npx bulkhead ls")).stdout, /^greet .* awaiting-grant$/m);
    await type(await block("grant"));
    assert.match((await type("npx bulkhead ls")).stdout, /^greet .* ready$/m);

    const daemon = start(await block("serve"));
    await until(() => daemon.out().includes("bulkhead ready") || daemon.child.exitCode !== null, "the daemon", 60_000);
    assert.match(daemon.out(), /bulkhead ready: 1 plugin/);
    const call = await block("call");
    assert.is((await type(call)).stdout.trim(), "{}");
    await until(() => /"source":"plugin","msg":"network net1 is created"/.test(daemon.out()), "the plugin's line");

    const look = (await type(await block("look"))).stdout;
    assert.match(look, /^● greet: running since .*\n/);
    assert.match(look, /\[greet\] network net1 is created$/m);
    const profiled = await type(await block("profile")).catch(({ stderr }: { readonly stderr: string }) => ({
      stdout: stderr,
    }));
    assert.match(
      profiled.stdout,
      CAN ? /^greet(?:, 2 s: |: its worker did nothing in 2 s)/ : /^error ERR_PROFILE_UNAVAILABLE: /,
    );
    assert.is((await type(await block("quarantine"))).stdout, "greet: quarantined\ngreet: running\n");

    const stop = await block("stop");
    assert.is((await type(stop)).stdout, "greet: stopped\n");
    const another = call.replace("net1", "net2");
    assert.match((await type(another)).stdout, /"Err":".*an operator stopped it; to start it: bulkhead start greet"/);
    assert.is((await type(stop.replace("stop", "start"))).stdout, "greet: running\n");

    const file = join(folder, "bulkhead.config.json");
    const policy = JSON.parse(await readFile(file, "utf8")) as { plugins: { greet: object } };
    policy.plugins.greet = { ...policy.plugins.greet, enabled: false };
    await writeFile(file, JSON.stringify(policy));
    await until(
      () => daemon.out().includes('plugin \\"greet\\" does not accept new networks'),
      "the edit to be noticed",
      20_000,
    );
    assert.match((await type(another)).stdout, /"Err":".*does not accept new networks: the policy stops it/);
    assert.is((await type(await block("delete"))).stdout.trim(), "{}");
    await until(() => daemon.out().includes('plugin \\"greet\\" stopped'), "the plugin to stop", 20_000);

    const ended = once(daemon.child, "exit");
    if (daemon.child.pid) process.kill(-daemon.child.pid, "SIGINT");
    await ended;
  },
  { ms: 300_000, needs: noBubblewrap || curlMissing() },
);

test.run();
