/** What a worker writes to stdout and stderr never reaches those of the process. */
import { spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { THREADS } from "#dist/isolation/limits.js";
import { assert, suite, type TestContext } from "../harness.js";
import { bootstrapFile } from "./bootstrap-file.js";

const test = suite("isolation: a worker's output");
const launcherFile = fileURLToPath(new URL("../../../dist/isolation/thread-launcher.js", import.meta.url));

/** Runs three workers of `body` in a process of its own, and gives what that process has written. */
async function outputOf(
  t: TestContext,
  body: string,
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const bootstrap = await bootstrapFile(t, `${body}\nsetTimeout(() => port.postMessage("done"), 300);`);
  const main = join(await t.folder(), "main.mjs");
  await writeFile(
    main,
    `import { ThreadLauncher } from ${JSON.stringify(launcherFile)};
    const launcher = new ThreadLauncher({ bootstrap: ${JSON.stringify(bootstrap)} });
    console.log("begin");
    await Promise.all(["a", "b", "c"].map(async (plugin) => {
      const link = await launcher.launch({ plugin, memoryMb: 32 });
      await new Promise((resolve) => { link.onFrame = resolve; });
    }));
    await launcher.close();
    console.log("end");`,
  );
  const child = spawn(process.execPath, [main], { stdio: ["ignore", "pipe", "pipe"] });
  t.cleanup(() => child.kill("SIGKILL"));
  const out = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (chunk: string) => {
      out[name] += chunk;
    });
  }
  const code = await new Promise<number | null>((resolve) => child.on("close", resolve));
  return { code, ...out };
}

for (const [name, body] of [
  ["by the streams", `process.stdout.write("LEAK\\n"); process.stderr.write("LEAK\\n");`],
  ["by the console", `console.log("LEAK"); console.error("LEAK"); console.warn("LEAK");`],
  ["by a warning", `process.emitWarning("LEAK");`],
  ["in floods", `for (let i = 0; i < 200; i++) process.stdout.write("LEAK".repeat(${THREADS.stdioBytes / 16}));`],
] as const) {
  test(`nothing written ${name} comes through`, async (t) => {
    assert.equal(await outputOf(t, body), { code: 0, stdout: "begin\nend\n", stderr: "" });
  });
}

test.run();
