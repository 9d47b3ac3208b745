/** The command `serve` and its flags. */
import type { Command } from "commander";
import { DEFAULTS, DOCKER_ENGINE, SERVE_CONFIG } from "./defaults.js";
import type { Daemon } from "./serve.js";
import type { ServeConfig } from "./settings.js";

/** Adds the flags. Each has the same name as a key of the config file. */
export function serveFlags(command: Command): Command {
  const collect = (folder: string, before: readonly string[] | undefined): readonly string[] => [
    ...(before ?? []),
    folder,
  ];
  return command
    .option("--config <file>", `a file with the same keys (default: ${SERVE_CONFIG}, if it is there)`)
    .option(
      "--plugins <folder>",
      `the plugins folder; may be given more than once (default: ${DEFAULTS.plugins})`,
      collect,
    )
    .option("--policy <file>", `the policy's file (default: ${DEFAULTS.policy})`)
    .option("--data-dir <folder>", `where state is kept (default: ${DEFAULTS.dataDir})`)
    .option("--docker-dir <folder>", "where the engine looks for sockets (default: /run/docker/plugins)")
    .option("--docker-prefix <text>", "prefix of a type in its socket's name (default: bulkhead-)")
    .option("--socket-owner <uid:gid>", "the account that may connect besides root")
    .option("--answer-ms <ms>", "deadline of every request, in milliseconds (default: 10000)", Number)
    .option("--engine <socket>", `the engine's own socket, asked for container names (default: ${DOCKER_ENGINE})`)
    .option("--netns <name>", "the network namespace in which links and rules are made")
    .option("--cluster <file>", "a file that names the store which hosts share")
    .option("--backend <kind>", "kernel, model or auto (default: auto)")
    .option("--isolation <kind>", "isolation of plugins whose policy names none (default: process)")
    .option("--allow-empty", "keep running while there is no driver to serve")
    .option("--control <path>", "where the control socket is opened (default: control.sock in the data folder)")
    .option("--no-control", "open no control socket")
    .option("--metrics <address>", "serve metrics to Prometheus: a port of 127.0.0.1, or ADDRESS:PORT")
    .option("--http <address>", "serve a page for browsers: a port of 127.0.0.1, or a loopback ADDRESS:PORT")
    .option("--log-level <level>", "debug, info, warn or error (default: info)");
}

/** Runs until a signal. Rejects with `ERR_USAGE`, `ERR_OPTIONS`, and the errors of a host's start. */
export async function runServe(command: Command, daemon: Daemon): Promise<void> {
  const { serve } = await import("./serve.js");
  const { readServeConfig, settle } = await import("./settings.js");
  const { config, json, ...flags } = command.opts<ServeConfig & { config?: string; json?: boolean }>();
  const read = await readServeConfig(config ?? SERVE_CONFIG, config !== undefined);
  await serve(settle(flags, read), daemon, json === true);
}
