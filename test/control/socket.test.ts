/** The control socket's file: mode, owner, a leftover, another host's, a path that is too long. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { access, mkdir, rename, stat, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { ControlClient } from "#dist/control/client.js";
import { placeSocket } from "#dist/docker/socket-file.js";
import { assert, rejection, suite } from "../harness.js";
import { house } from "../kit/host.js";
import { plugin } from "../kit/plugins.js";
import { controlled } from "./controlled.js";

const test = suite("control/socket");

test("0600, the data folder's owner; gone when the host closes, or the socket itself", async (t) => {
  const { host, socket, home } = await controlled(t, { "net.js": plugin("net") });
  const { mode, uid } = await stat(socket);
  assert.equal([mode & 0o777, uid], [0o600, (await stat(home.path("data"))).uid]);
  const second = await host.control(home.path("deep/er/second.sock"));
  assert.equal((await new ControlClient(second.path).ask("health")).status, "ok");
  await second.close();
  await second.close();
  assert.is((await rejection(access(second.path))).code, "ENOENT");
  assert.equal((await new ControlClient(socket).ask("health")).status, "ok");
  await host.close();
  assert.is((await rejection(access(socket))).code, "ENOENT");
  assert.is((await rejection(host.control(socket))).code, "ERR_HOST_CLOSED");
});

test("the socket of a killed process is taken over; a live host's is not, nor another file", async (t) => {
  const home = await house(t, { "net.js": plugin("net") });
  const path = home.path("control.sock");
  const code = "require('net').createServer().listen(process.argv[1], () => console.log('up'))";
  const child = spawn(process.execPath, ["-e", code, path], { stdio: ["ignore", "pipe", "inherit"] });
  await once(child.stdout, "data");
  const host = await home.open();
  const alive = await rejection(host.control(path));
  assert.is(alive.code, "ERR_CONTROL_SOCKET");
  assert.match(alive.message, /another program serves it/);
  child.kill("SIGKILL");
  await once(child, "exit");
  await access(path);
  const control = await host.control(path);
  assert.is((await new ControlClient(path).ask("ready")).ready, true);

  const other = await home.open();
  const taken = await rejection(other.control(path));
  assert.match(taken.message, /another bulkhead host serves it/);
  await control.close();
  await other.control(path);

  await writeFile(home.path("file"), "mine");
  assert.match((await rejection(host.control(home.path("file")))).message, /not a socket is in its place/);
  await symlink(path, home.path("link"));
  assert.is((await rejection(host.control(home.path("link")))).code, "ERR_CONTROL_SOCKET");
});

test("the folder's owner cannot turn the mode and owner of the socket onto another file", async (t) => {
  const folder = await t.folder();
  const victim = join(folder, "victim");
  await writeFile(victim, "", { mode: 0o644 });
  const before = await stat(victim);
  const swap = async (made: string): Promise<void> => {
    await rename(dirname(made), join(folder, "away"));
    await mkdir(dirname(made));
    await symlink(victim, made);
  };
  const refused = await rejection(placeSocket(folder, join(folder, "c.sock"), { uid: 65_534, gid: 65_534 }, swap));
  assert.is(refused.code, "ERR_DOCKER_SOCKET");
  const { mode, uid } = await stat(victim);
  assert.equal([mode, uid], [before.mode, before.uid]);
});

test(
  "another account may not connect, and is told what to use",
  async (t) => {
    const { client } = await controlled(t, { "net.js": plugin("net") });
    process.seteuid?.(65_534);
    const refused = rejection(client.ask("health"));
    process.seteuid?.(0);
    const { code, message } = await refused;
    assert.is(code, "ERR_CONTROL_SOCKET");
    assert.match(message, /: this account may not connect; use root's, or that of the data folder's owner$/);
    assert.is((await client.ask("health")).status, "ok");
  },
  { needs: process.getuid?.() === 0 ? false : "only root can act as another account" },
);

test("a path over 107 bytes is an error that says so; no host: one line that says what to start", async (t) => {
  const home = await house(t, { "net.js": plugin("net") });
  const host = await home.open();
  const long = await rejection(host.control(join(home.path("x"), "y".repeat(107), "control.sock")));
  assert.is(long.code, "ERR_CONTROL_SOCKET");
  assert.match(long.message, /too long for a Unix socket, whose path has at most 107 bytes/);
  const none = await rejection(new ControlClient(home.path("none.sock")).ask("health"));
  assert.is(none.code, "ERR_NO_DAEMON");
  assert.match(none.message, `start one with: bulkhead serve --control ${home.path("none.sock")} (`);
  // A command in a project's folder looks there, and the daemon alone would not.
  const here = await rejection(new ControlClient("nowhere/control.sock").ask("health"));
  assert.match(here.message, "start one with: bulkhead serve --data-dir nowhere (");
});

test.run();
