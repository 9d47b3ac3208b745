/** The flags of `dev`, which mean what those of `serve` do. */
import type { Command } from "commander";

/** Adds the flags. */
export function devFlags(command: Command): Command {
  return command
    .option("--policy <file>", "grant what this policy grants (default: what the manifest asks for)")
    .option("--data-dir <folder>", "where state is kept (default: in memory, until the end)")
    .option("--docker-dir <folder>", "where the drivers' sockets are put (default: in a temporary folder)")
    .option("--netns <name>", "the network namespace in which links and rules are made")
    .option("--backend <kind>", "kernel, model or auto (default: model)")
    .option("--isolation <kind>", "thread, process or dedicated (default: process, behind the wall)")
    .option(
      "--inspect [port]",
      "let a debugger attach on 127.0.0.1: runs in a thread, without the wall (default: 9229)",
    );
}
