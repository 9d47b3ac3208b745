#!/usr/bin/env node
/** The command line's perimeter: the only file of it that touches the process. */
import { fstatSync, readFileSync } from "node:fs";
import { runQuick } from "./control/quick.js";
import type { Streams, Terminal } from "./output.js";

const argv = process.argv.slice(2);
/** True for a command that asks a running host. */
let asksHost = argv[0] === "ps";

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

const streams: Streams = {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  ...(process.stdin.isTTY && process.stdout.isTTY ? { terminal: terminal() } : {}),
  endless,
  colour: process.stdout.isTTY === true && (process.env.NO_COLOR ?? "") === "",
};

process.exitCode = (await runQuick(argv, streams)) ?? (await parsed());

/** Runs any other command line, with the parser of all commands. */
async function parsed(): Promise<number> {
  const { CONTROL_COMMANDS } = await import("./control/commands.js");
  asksHost = CONTROL_COMMANDS.has(argv[0] ?? "");
  const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
    version: string;
  };
  return asksHost ? control(version) : all(version);
}

async function endless(): Promise<void> {
  if (!fstatSync(process.stdout.fd).isFIFO()) return;
  const { watchReader } = await import("./control/reader.js");
  const end = watchReader(process.pid, () => process.exit(0));
  process.once("exit", end);
}

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
async function control(version: string): Promise<number> {
  const { runControl } = await import("./control/program.js");
  return runControl(argv, streams, version);
}

async function all(version: string): Promise<number> {
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
