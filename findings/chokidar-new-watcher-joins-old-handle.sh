#!/usr/bin/env bash
# Good guess: a new chokidar watcher follows what its path leads to when it is opened.
# Wrong while another watcher of the process has the same path open: all of them share one handle of the operating system, kept by path.
# If the folder has been moved away and another put in its place, the new watcher joins the handle of the folder that is gone: it scans
# the new folder, says "ready", and reports none of its changes. Opened after the old one was closed, it reports them.
# Users meet it where a deployment replaces a folder by renaming: opening the new watcher before closing the old one, to lose no change,
# loses all of them; so do two independent users of one path in a process.
# chokidar 5.0.0, on Linux.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund chokidar@5.0.0
cat >run.mjs <<'JS'
import { mkdirSync, mkdtempSync, renameSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { watch } from "chokidar";

const open = async (path, seen = () => {}) => {
  const watcher = watch(path, { ignoreInitial: true });
  watcher.on("all", (event, file) => seen(`${event} ${file.split("/").pop()}`));
  await new Promise((done) => watcher.once("ready", done));
  return watcher;
};

/** What the second watcher reports of a file written into the folder that took the first one's place. */
async function reported(closeFirst) {
  const root = mkdtempSync("case-");
  const path = `${root}/folder`;
  mkdirSync(path);
  const first = await open(path);
  mkdirSync(`${root}/next`);
  renameSync(path, `${root}/old`);
  renameSync(`${root}/next`, path);
  if (closeFirst) await first.close();
  const seen = [];
  const second = await open(path, (what) => seen.push(what));
  if (!closeFirst) await first.close();
  writeFileSync(`${path}/new.txt`, "1");
  await sleep(1500);
  await second.close();
  return seen.join(", ") || "nothing";
}

const after = await reported(true);
const before = await reported(false);
console.log(`old watcher closed first: ${after}`);
console.log(`new watcher opened first: ${before}`);
process.exit(after === "add new.txt" && before === "nothing" ? 0 : 1);
JS
node run.mjs || { echo CHANGED; exit 1; }
