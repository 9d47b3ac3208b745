#!/usr/bin/env node
/** The command line's perimeter: the only file of it that touches the process. */
import { readFileSync } from "node:fs";
import { runProgram } from "./program.js";

// A closed pipe (`bulkhead ls | head -1`) is not an error; others, such as a full disk, are reported.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") return;
  process.stderr.write(`error: the output was not written: ${error.message}\n`);
  process.exit(1);
});

const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
  version: string;
};

process.exitCode = await runProgram(
  process.argv.slice(2),
  { out: (text) => void process.stdout.write(text), err: (text) => void process.stderr.write(text) },
  version,
  {
    daemon: {
      onSignal(signal, act) {
        process.on(signal, act);
        return () => void process.off(signal, act);
      },
      exit: (code) => process.exit(code),
      out: (text) => void process.stdout.write(text),
      notifySocket: process.env.NOTIFY_SOCKET,
    },
  },
);
