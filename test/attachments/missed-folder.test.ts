/** The folder of missed requests: not used where another user could write to it, and only what undoes is carried out. */
import { chmodSync, existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { checkLeft, MissedRequests, missedFolder } from "#dist/attachments/missed-requests.js";
import { writableByOthers } from "#dist/common/folder-owner.js";
import { leave } from "#dist/executables/ask.js";
import { assert, suite, type TestContext } from "../harness.js";
import { thrown } from "../kit/host.js";
import { type LogLine, recorder } from "../kit/logger.js";

const test = suite("attachments/missed-folder");
const REQUEST = { driver: "net", args: ["teardown"], env: {}, input: "{}" };

interface Place {
  readonly socket: string;
  readonly folder: string;
  readonly missed: MissedRequests;
  readonly log: readonly LogLine[];
  /** Returns how many requests were carried out. */
  take(): Promise<number>;
}

async function place(t: TestContext): Promise<Place> {
  const socket = join(await t.folder(), "control.sock");
  const { logger, log } = recorder();
  const missed = new MissedRequests(missedFolder(socket), logger);
  const take = async (): Promise<number> => {
    let count = 0;
    await missed.take(async () => {
      count++;
    });
    return count;
  };
  return { socket, folder: missedFolder(socket), missed, log, take };
}

test("a folder to which others may write is used by neither side, and the log says so once", async (t) => {
  const { socket, folder, missed, log, take } = await place(t);
  missed.prepare();
  leave(socket, "podman", REQUEST);
  assert.is(await take(), 1);
  writeFileSync(join(folder, "1-1.podman.json"), JSON.stringify(REQUEST));
  for (const mode of [0o777, 0o720]) {
    chmodSync(folder, mode);
    for (let twice = 0; twice < 2; twice++) assert.is(await take(), 0);
    assert.match(thrown(() => leave(socket, "podman", REQUEST)).message, /others may write to it: its mode is 7/);
  }
  assert.is(log.length, 2);
  assert.match(log[0]?.text ?? "", /control\.sock\.missed is not used, .*: its mode is 777; remove it/);
  assert.equal(readdirSync(folder), ["1-1.podman.json"]);
  chmodSync(folder, 0o700);
  assert.is(await take(), 1);
});

test("nor is a link to a folder, nor another user's folder", async (t) => {
  const { socket, folder, missed, log, take } = await place(t);
  mkdirSync(`${folder}.real`);
  symlinkSync(`${folder}.real`, folder);
  missed.prepare();
  assert.is(await take(), 0);
  assert.match(log.at(-1)?.text ?? "", /it is not a folder/);
  assert.match(thrown(() => leave(socket, "podman", REQUEST)).message, /it is not a folder/);
  const found = (uid: number) => ({ uid, mode: 0o40700, isDirectory: () => true });
  assert.equal(
    [0, 7, 8].map((uid) => writableByOthers(found(uid), 7)),
    [undefined, undefined, "it belongs to user 8"],
  );
});

test("a folder in a request's place is not removed with what it holds, and not looked at again", async (t) => {
  const { folder, missed, log, take } = await place(t);
  missed.prepare();
  const inner = join(folder, "1-1.cni.json");
  mkdirSync(inner);
  writeFileSync(join(inner, "kept"), "");
  for (let twice = 0; twice < 2; twice++) assert.is(await take(), 0);
  assert.ok(existsSync(join(inner, "kept")));
  assert.is(log.filter(({ text }) => text.includes("cannot be removed")).length, 1);
});

test("only DEL and teardown are carried out", () => {
  checkLeft("podman", REQUEST);
  checkLeft("cni", { ...REQUEST, env: { CNI_COMMAND: "DEL" } });
  for (const args of [[], ["setup"], ["create"]])
    assert.match(thrown(() => checkLeft("podman", { ...REQUEST, args })).message, /does not leave such a request/);
  for (const CNI_COMMAND of ["ADD", "GC", ""])
    assert.match(thrown(() => checkLeft("cni", { ...REQUEST, env: { CNI_COMMAND } })).message, /does not leave/);
});

test.run();
