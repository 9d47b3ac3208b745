/** Socket files that others remove, replace, or hold already. */
import { existsSync } from "node:fs";
import { lstat, readdir, readFile, rename, rm, unlink, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { DockerGateway } from "#dist/docker/gateway.js";
import { assert, rejection, suite, type TestContext, until } from "../harness.js";
import { house } from "../kit/host.js";
import { type LogLine, recorder } from "../kit/logger.js";
import { plugin } from "../kit/plugins.js";
import { post } from "./socket.js";

const test = suite("docker: socket files");
const ACTIVE = { Implements: ["NetworkDriver"] };

async function place(t: TestContext, types: readonly string[] = ["net"]) {
  const at = await house(t, Object.fromEntries(types.map((type) => [`${type}.js`, plugin(type)])));
  const directory = join(await t.folder(), "plugins");
  const host = await at.open();
  const { logger, log } = recorder();
  const open = async (more: Partial<Parameters<typeof DockerGateway.open>[0]> = {}): Promise<DockerGateway> => {
    const gateway = await DockerGateway.open({ host, logger, directory, socketCheckMs: 20, ...more });
    t.cleanup(() => gateway.close());
    return gateway;
  };
  const path = join(directory, "bulkhead-net.sock");
  const serves = async (): Promise<boolean> => {
    try {
      return JSON.stringify((await post(path, "/Plugin.Activate")).body) === JSON.stringify(ACTIVE);
    } catch {
      return false;
    }
  };
  return { at, host, directory, log, open, path, serves };
}

test("a socket that somebody removes is put back, private as before, and that is logged", async (t) => {
  const { open, path, serves, log } = await place(t);
  await open();
  await unlink(path);
  await until(serves, "its return");
  assert.is((await lstat(path)).mode & 0o777, 0o600);
  assert.ok(log.some(({ level, text }) => level === "warn" && text.includes("was removed by another program")));
});

test("so is its folder, whatever was beside it", async (t) => {
  const { open, directory, serves } = await place(t);
  const gateway = await open();
  // The socket may return meanwhile.
  await rm(directory, { recursive: true, maxRetries: 10 });
  await until(serves, "its return");
  await rename(directory, `${directory}.old`);
  await until(serves, "its return");
  await gateway.close();
  assert.equal(await readdir(directory), []);
});

test("a file in its place is left as it is and named once; when it goes, the socket returns", async (t) => {
  const { open, path, directory, serves, log } = await place(t, ["net", "other"]);
  await open();
  await unlink(path);
  await writeFile(path, "mine");
  const named = (): readonly LogLine[] => log.filter(({ text }) => text.includes("is in its place"));
  await until(() => named().length > 0, "the line");
  // Each return of the other socket takes another look at the folder.
  const other = join(directory, "bulkhead-other.sock");
  for (let n = 0; n < 3; n++) {
    await unlink(other);
    await until(() => existsSync(other), "the other's return");
  }
  assert.is(named().length, 1);
  assert.is(await readFile(path, "utf8"), "mine");
  await unlink(path);
  await until(serves, "its return");
});

test("a living socket that somebody puts in its place is not overwritten, nor removed at the end", async (t) => {
  const { open, path, log } = await place(t);
  const gateway = await open();
  await unlink(path);
  const other = createServer((socket) => socket.end());
  await new Promise<void>((resolve) => other.listen(path, resolve));
  t.cleanup(() => other.close());
  const { ino } = await lstat(path);
  await until(() => log.some(({ text }) => text.includes("another program serves it")), "the line");
  await gateway.close();
  assert.is((await lstat(path)).ino, ino);
});

test("a second daemon fails at start and names the first, also where one type of several is taken; the first serves on", async (t) => {
  const { open, directory, path, serves } = await place(t);
  await open();
  const words = `${path}: another bulkhead daemon (process ${process.pid}) serves it; end that first, or give this daemon another --docker-dir or --docker-prefix`;
  for (const types of [["net"], ["another", "net", "other"]]) {
    const second = await place(t, types);
    const error = await rejection(second.open({ directory }));
    assert.equal([error.code, error.message], ["ERR_DOCKER_SOCKET", words]);
    assert.equal(await readdir(directory), ["bulkhead-net.sock"]);
    assert.ok(await serves());
  }
});

test("a type that its plugin's manifest keeps from an engine has no socket, and the log says so once", async (t) => {
  const { at, open, host, directory, log } = await place(t);
  await at.put({
    "kept/plugin.json": JSON.stringify({ main: "index.js", docker: false }),
    "kept/index.js": plugin("kept"),
  });
  await host.reload("kept");
  const gateway = await open();
  await until(() => log.some(({ text }) => text.includes("is not served")), "the line");
  await host.reload("net");
  const lines = log.filter(({ text }) => text.includes("is not served"));
  assert.equal(
    lines.map(({ level, text }) => [level, text]),
    [["info", 'docker: driver "kept" is not served: the manifest of plugin "kept" says "docker": false']],
  );
  assert.equal(await readdir(directory), ["bulkhead-net.sock"]);
  // A change of the manifest is followed.
  await at.put({ "kept/plugin.json": JSON.stringify({ main: "index.js" }) });
  await host.reload("kept");
  await until(() => gateway.sockets.has("kept"), "its socket");
  await at.put({ "kept/plugin.json": JSON.stringify({ main: "index.js", docker: false }) });
  await host.reload("kept");
  await until(() => !gateway.sockets.has("kept"), "its socket's end");
});

test.run();
