/** The client of a plain `ps`: it takes a whole reply with status 200, and leaves any other to the ordinary client. */
import { execFile } from "node:child_process";
import { createServer } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { ControlClient } from "#dist/control/client.js";
import { quickAsk } from "#dist/control/quick-ask.js";
import { assert, rejection, suite, type TestContext } from "../harness.js";
import { REPO } from "../kit/host.js";

const test = suite("control: the quick client");
const run = promisify(execFile);
const MAIN = join(REPO, "dist/cli/main.js");

/** Serves one reply, as bytes, to every request. */
async function replying(t: TestContext, reply: string): Promise<string> {
  const path = join(await t.folder(), "control.sock");
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", () => socket.end(reply));
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  t.cleanup(() => server.close());
  return path;
}

test("any other reply than a whole one of a host is left to the ordinary client", async (t) => {
  const body = '{"plugins":[]}';
  const whole = `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  assert.equal(await quickAsk(await replying(t, whole), "/v1/plugins"), { plugins: [] });
  for (const reply of [
    "",
    "SSH-2.0-OpenSSH_9.2\r\n",
    whole.slice(0, -1),
    whole.replace("200 OK", "503 Busy"),
    whole.replace(body, body.replace("{", "[")),
    `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\ne\r\n${body}\r\n0\r\n\r\n`,
  ])
    assert.is(await quickAsk(await replying(t, reply), "/v1/plugins"), undefined, reply);
  assert.is(await quickAsk("/nowhere/control.sock", "/v1/plugins"), undefined);
  const foreign = await replying(t, "SSH-2.0-OpenSSH_9.2\r\n");
  const ran = await run(process.execPath, [MAIN, "ps", "--control", foreign]).catch((error: unknown) => error);
  const { code, stderr } = ran as { readonly code: number; readonly stderr: string };
  assert.is(code, 1, stderr);
  assert.match(stderr, /^error ERR_CONTROL_SOCKET: .*\n$/);
});

test(
  "a host that is stopped: the quick client gives up soon, and the ordinary one says so",
  async (t) => {
    const path = join(await t.folder(), "control.sock");
    const server = createServer((socket) => socket.on("error", () => {}).resume());
    await new Promise<void>((resolve) => server.listen(path, resolve));
    t.cleanup(() => server.close());
    assert.is(await quickAsk(path, "/v1/plugins"), undefined);
    const late = await rejection(new ControlClient(path).ask("plugins"));
    assert.match(
      `${late.code} ${late.message}`,
      /^ERR_CONTROL_SOCKET .*: no reply within 10 s; the host is stopped or/,
    );
  },
  { ms: 30_000 },
);

test.run();
