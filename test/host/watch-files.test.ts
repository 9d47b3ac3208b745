/** Several watches of one folder in a process, as several hosts have: each follows the folder that is there, whatever the others do. */
import { mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { watchFiles } from "#dist/host/watch-files.js";
import { assert, suite, type TestContext, until } from "../harness.js";

const test = suite("host: watch, files");

interface Watched {
  readonly seen: readonly string[];
  close(): Promise<void>;
}

async function watched(t: TestContext, folder: string): Promise<Watched> {
  const seen: string[] = [];
  const failed = (error: unknown): void => assert.unreachable(String(error));
  const watch = await watchFiles({ folders: [folder], changed: (id) => void seen.push(id), failed });
  t.cleanup(() => watch.close());
  return { seen, close: () => watch.close() };
}

/** Puts another folder in this one's place, as a deployment does. */
async function exchange(folder: string): Promise<void> {
  await mkdir(`${folder}.next`);
  await rename(folder, `${folder}.before`);
  await rename(`${folder}.next`, folder);
}

test("a watch that is opened while another one still follows the folder that was there", async (t) => {
  const folder = join(await t.folder(), "plugins");
  await mkdir(folder);
  const first = await watched(t, folder);
  await exchange(folder);
  const second = await watched(t, folder);
  await writeFile(join(folder, "new.js"), "1");
  await until(() => second.seen.includes("new"), "the change in the folder that is there now", 10_000);
  // One after the other, as each host finds out for itself: none inherits the other's handle.
  await first.close();
  const third = await watched(t, folder);
  await second.close();
  await writeFile(join(folder, "newer.js"), "1");
  await until(() => third.seen.includes("newer"), "the change after the others were closed", 10_000);
});

test("closing one watch leaves the other one of the same folder and files", async (t) => {
  const folder = join(await t.folder(), "plugins");
  await mkdir(folder);
  await writeFile(join(folder, "old.js"), "1");
  const [first, second] = [await watched(t, folder), await watched(t, folder)];
  await first.close();
  await writeFile(join(folder, "old.js"), "2");
  await writeFile(join(folder, "new.js"), "1");
  await until(() => ["old", "new"].every((id) => second.seen.includes(id)), "both changes", 10_000);
  assert.equal(first.seen, []);
});

test.run();
