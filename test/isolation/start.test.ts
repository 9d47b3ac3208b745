/** What is started behind a wall gets the descriptors it is given, and none that the platform was itself started with. */
import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { assert, suite } from "../harness.js";

const test = suite("isolation: starting behind a wall");
const linux = process.platform === "linux" ? undefined : "descriptors are looked at in /proc, which is Linux";

/** Past a gap: Node covers by itself only the first ones in a row. */
const DESCRIPTOR = 40;

test(
  "a descriptor that the platform inherited is not passed on, neither to the spawner",
  async (t) => {
    const folder = await t.folder();
    const secret = join(folder, "secret");
    await writeFile(secret, "x");
    const href = (path: string): string => JSON.stringify(new URL(path, import.meta.url).href);
    await writeFile(
      join(folder, "platform.mjs"),
      `import { spawnSync } from "node:child_process";
import { startBehind } from ${href("../../../dist/isolation/walls/start.js")};
import { acquireSpawner } from ${href("../../../dist/spawner/spawner.js")};
import { spawnerOf } from ${href("./spawner-of.js")};
const list = "ls -l /proc/self/fd";
const plain = spawnSync("/bin/sh", ["-c", list], { encoding: "utf8" }).stdout;
const wall = { command: "/bin/sh", args: ["-c", list], tellsPid: false };
const lease = acquireSpawner(console.error);
await lease.settled;
const spawner = spawnSync("ls", ["-l", "/proc/" + spawnerOf(process.pid) + "/fd"], { encoding: "utf8" }).stdout;
await lease.release();
let walled = "";
startBehind(wall, { stdout: "pipe", link: false }).stdout.on("data", (part) => { walled += part; })
  .on("end", () => console.log(JSON.stringify({ plain, walled, spawner })));`,
    );
    const file = openSync(secret, "r");
    const stdio = Array.from({ length: DESCRIPTOR + 1 }, () => "ignore") as ("ignore" | "pipe" | number)[];
    stdio[1] = "pipe";
    stdio[DESCRIPTOR] = file;
    const child = spawn(process.execPath, [join(folder, "platform.mjs")], { stdio });
    closeSync(file);
    let out = "";
    child.stdout?.setEncoding("utf8").on("data", (part: string) => {
      out += part;
    });
    await new Promise((resolve) => child.once("close", resolve));
    const { plain = "", walled = "", spawner = "" } = JSON.parse(out) as Readonly<Record<string, string>>;
    assert.match(plain, secret, "the premise: a child gets it");
    for (const list of [walled, spawner]) {
      assert.not.match(list, secret);
      assert.match(list, new RegExp(`${DESCRIPTOR} -> /dev/null`));
    }
  },
  { needs: linux },
);

test("the command sees PATH and a time zone of UTC, and nothing else of the environment", async () => {
  const { startBehind } = await import("#dist/isolation/walls/start.js");
  process.env.PLATFORMS_SECRET = "x";
  try {
    const child = startBehind({ command: "/usr/bin/env", args: [], tellsPid: false }, { stdout: "pipe", link: false });
    let out = "";
    child.stdout?.setEncoding("utf8").on("data", (part: string) => {
      out += part;
    });
    await new Promise((resolve) => child.once("close", resolve));
    assert.is(out, `PATH=${process.env.PATH}\nTZ=UTC\n`);
  } finally {
    delete process.env.PLATFORMS_SECRET;
  }
});

test.run();
