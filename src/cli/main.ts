#!/usr/bin/env node
/** The command line's perimeter: the only file of it that touches the process. */
import { readFileSync } from "node:fs";
import { CONTROL_COMMANDS } from "./control/commands.js";
import type { Streams, Terminal } from "./output.js";

const argv = process.argv.slice(2);
const asksHost = CONTROL_COMMANDS.has(argv[0] ?? "");

// A closed pipe (`bulkhead ls | head -1`) is not an error; others, such as a full disk, are reported.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") {
    // A command that follows a host would go on without a reader.
    if (asksHost) process.exit(0);
    return;
  }
  process.stderr.write(`error: the output was not written: ${error.message}\n`);
  process.exit(1);
});

const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
  version: string;
};

const streams: Streams = {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  ...(process.stdin.isTTY && process.stdout.isTTY ? { terminal: terminal() } : {}),
  colour: process.stdout.isTTY === true && (process.env.NO_COLOR ?? "") === "",
};

process.exitCode = asksHost ? await control() : await all();

function terminal(): Terminal {
  const { stdin, stdout } = process;
  return {
    rows: () => stdout.rows,
    write: (text) => void stdout.write(text),
    keys(listener) {
      const heard = (keys: Buffer): void => {
        for (const key of keys.toString("latin1")) listener(key);
      };
      stdin.setRawMode(true).on("data", heard).resume();
      return () => void stdin.off("data", heard).setRawMode(false).pause();
    },
  };
}

/** Loads only what a command needs that asks a running host. */
async function control(): Promise<number> {
  const { runControl } = await import("./control/program.js");
  return runControl(argv, streams, version);
}

async function all(): Promise<number> {
  const { runProgram } = await import("./program.js");
  return runProgram(argv, streams, version, {
    daemon: {
      onSignal(signal, act) {
        process.on(signal, act);
        return () => void process.off(signal, act);
      },
      exit: (code) => process.exit(code),
      out: (text) => void process.stdout.write(text),
      notifySocket: process.env.NOTIFY_SOCKET,
    },
  });
}
