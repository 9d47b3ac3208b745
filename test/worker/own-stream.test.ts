/** The worker's end of its own stream: frames that something else has read are missed, and what arrives late is not. */
import { spawn } from "node:child_process";
import type { Socket } from "node:net";
import { fileURLToPath } from "node:url";
import { frameBytes } from "#dist/isolation/host-frames.js";
import { assert, suite, type TestContext, until } from "../harness.js";

const test = suite("worker: its own stream");
const HEADER = "0000000a";
const { href } = new URL("../../../dist/worker/own-stream.js", import.meta.url);
/** Prints what it receives; "count N" as a frame's content says how many frames it should have by now. */
const CHILD = `import { OwnStream } from ${JSON.stringify(href)};
const say = (line) => process.stdout.write(line + "\\n");
const stream = new OwnStream({ descriptor: 3 }, { header: "${HEADER}", frame: say, broken: () => say("broken") });
process.stdin.on("data", (line) => stream.expect(Number(line)));
setInterval(() => {}, 1000);`;

interface Child {
  readonly stream: Socket;
  expect(frames: number): void;
  readonly lines: () => readonly string[];
}

function child(t: TestContext): Child {
  const one = spawn(process.execPath, ["--input-type=module", "-e", CHILD], {
    stdio: ["pipe", "pipe", "inherit", "pipe"],
    cwd: fileURLToPath(new URL("../../..", import.meta.url)),
  });
  t.cleanup(() => one.kill("SIGKILL"));
  let out = "";
  one.stdout?.setEncoding("utf8").on("data", (part: string) => {
    out += part;
  });
  const stream = one.stdio[3] as Socket;
  stream.on("error", () => {});
  return {
    stream,
    expect: (frames) => void one.stdin?.write(`${frames}\n`),
    lines: () => out.split("\n").filter((line) => line !== ""),
  };
}

test("as many frames as were sent: nothing is broken; one that never arrives: the stream is", async (t) => {
  const { stream, expect, lines } = child(t);
  stream.write(frameBytes(`${HEADER}[1]`));
  await until(() => lines().length === 1, "the frame", 10_000);
  expect(1);
  stream.write(frameBytes(`${HEADER}[2]`));
  await until(() => lines().length === 2, "the second frame", 10_000);
  assert.equal(lines(), [`${HEADER}[1]`, `${HEADER}[2]`]);
  expect(3);
  await until(() => lines().length === 3, "that it is broken", 10_000);
  assert.is(lines()[2], "broken");
});

test("another's routing header and a closed stream are both broken", async (t) => {
  const noisy = child(t);
  noisy.stream.write(frameBytes("0000000b[1]"));
  await until(() => noisy.lines().length > 0, "that it is broken", 10_000);
  assert.is(noisy.lines()[0], "broken");
  const closed = child(t);
  closed.stream.destroy();
  await until(() => closed.lines().length > 0, "that it is broken", 10_000);
  assert.is(closed.lines()[0], "broken");
});

test.run();
