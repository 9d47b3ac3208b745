/** `bulkhead serve`: the daemon. Runs a host that follows its folders, and serves its drivers to a Docker engine until a signal. */

import type { Logger } from "../../common/logger.js";
import { shortList } from "../../common/text.js";
import { DockerGateway } from "../../docker/gateway.js";
import { DriverError } from "../../driverapi/errors.js";
import { LogTap } from "../../host/log-tap.js";
import { createPluginHost, type PluginHost } from "../../host/plugin-host.js";
import { kernelProblem } from "../../permissions/netlink/kernel/available.js";
import { readClusterFile } from "./cluster-file.js";
import { keepPage } from "./keep-page.js";
import { daemonLog } from "./log.js";
import { serveMetrics } from "./metrics-server.js";
import { watchNetwork } from "./network-watch.js";
import { nothingServed } from "./nothing-served.js";
import { notifySystemd } from "./notify.js";
import type { ServeSettings } from "./settings.js";

/** What the daemon needs of its process. */
export interface Daemon {
  /** Calls `act` each time this signal arrives. Returns a function that stops that. */
  onSignal(signal: "SIGTERM" | "SIGINT" | "SIGHUP" | "SIGUSR1", act: () => void): () => void;
  /** Ends the process at once. */
  exit(code: number): void;
  /** Prints the readiness line. */
  out(text: string): void;
  /** Where systemd listens, if it does. */
  readonly notifySocket: string | undefined;
}

/**
 * Resolves when a signal has ended the daemon; rejects if it cannot start. The code is `ERR_OPTIONS` if the kernel's network cannot
 * be used and no backend is named, or without a driver to serve.
 */
export async function serve(settings: ServeSettings, daemon: Daemon, json: boolean): Promise<void> {
  const problem = settings.backend === "auto" ? kernelProblem() : undefined;
  if (problem !== undefined) {
    const hint = "an engine needs real links and rules; to serve an in-memory model of them, pass --backend model";
    throw new DriverError("ERR_OPTIONS", `${problem}; ${hint}`);
  }
  // `bulkhead logs` shows the daemon's own lines too.
  const logger = new LogTap(daemonLog(settings.logLevel));
  const stopped = new AbortController();
  let running: PluginHost | undefined;
  const undo = listen(daemon, logger, stopped, () => reread(running, logger));
  try {
    const { plugins, policy, dataDir, netns, backend, isolation } = settings;
    const cluster = settings.cluster === undefined ? undefined : await readClusterFile(settings.cluster);
    const host = await createPluginHost({
      ...{ plugins, policy, dataDir, backend, logger, watch: true },
      ...(netns === undefined ? {} : { netns }),
      ...(isolation === undefined ? {} : { isolation }),
      ...(cluster === undefined ? {} : { cluster }),
    });
    running = host;
    follow(host, logger);
    const unwatch = backend === "model" ? undefined : watchNetwork({ policy, netns, logger });
    try {
      await served(host, settings, daemon, logger, json, stopped.signal);
    } finally {
      unwatch?.();
      await host.close();
    }
  } finally {
    for (const one of undo) one();
  }
}

async function served(
  host: PluginHost,
  settings: ServeSettings,
  daemon: Daemon,
  logger: Logger,
  json: boolean,
  stop: AbortSignal,
): Promise<void> {
  const gateway = await DockerGateway.open({
    host,
    logger,
    directory: settings.dockerDir,
    prefix: settings.dockerPrefix,
    owner: settings.socketOwner,
    answerMs: settings.answerMs,
    engine: settings.engine,
  });
  let metrics: { readonly url: string; close(): Promise<void> } | undefined;
  let closePage: (() => Promise<void>) | undefined;
  try {
    if (settings.metrics !== undefined) {
      metrics = await serveMetrics(host, settings.metrics, logger);
      logger.info({ url: metrics.url }, `metrics are served at ${metrics.url}`);
    }
    if (settings.control !== undefined) {
      const { path } = await host.control(settings.control);
      logger.info({ socket: path }, `control: an operator's commands are served at ${path}`);
      if (settings.http !== undefined) {
        const { dataDir, http: at } = settings;
        closePage = keepPage({ at, control: path, dataDir, logger });
      }
    }
    if (gateway.sockets.size === 0) logger.warn({}, await nothingServed(host.plugins(), settings));
    const sockets = Object.fromEntries(gateway.sockets);
    const plugins = host.plugins().map(({ name, state }) => ({ name, state }));
    daemon.out(json ? `${JSON.stringify({ ready: true, sockets, plugins })}\n` : readyLine(gateway.sockets, plugins));
    await notifySystemd("--ready", daemon.notifySocket, logger);
    if (!stop.aborted) await new Promise<void>((resolve) => stop.addEventListener("abort", () => resolve()));
    await notifySystemd("--stopping", daemon.notifySocket, logger);
  } finally {
    await closePage?.();
    await metrics?.close();
    await gateway.close();
  }
}

function readyLine(
  sockets: ReadonlyMap<string, string>,
  plugins: readonly { readonly name: string; readonly state: string }[],
): string {
  const running = plugins.filter(({ state }) => state === "running").length;
  const rest = plugins.filter(({ state }) => state !== "running").map(({ name, state }) => `${name} ${state}`);
  const not = rest.length === 0 ? "" : `; not in service: ${shortList(rest)}`;
  return `bulkhead ready: ${running} plugin(s), sockets ${[...sockets.values()].join(", ") || "none"}${not}\n`;
}

/** Listens to signals: the first one ends the daemon in order, a second one at once. */
function listen(
  daemon: Daemon,
  logger: Logger,
  stopped: AbortController,
  hangUp: () => Promise<void>,
): readonly (() => void)[] {
  const stop = (name: string) => (): void => {
    if (stopped.signal.aborted) {
      logger.error({ signal: name }, `${name} again: terminating now; the next start cleans up`);
      daemon.exit(1);
      return;
    }
    logger.info({ signal: name }, `${name}: stopping; pending calls have five seconds`);
    stopped.abort();
  };
  return [
    daemon.onSignal("SIGTERM", stop("SIGTERM")),
    daemon.onSignal("SIGINT", stop("SIGINT")),
    daemon.onSignal("SIGHUP", () => void hangUp()),
    // Node's default opens a debugger, through which any local program can control the daemon.
    daemon.onSignal("SIGUSR1", () =>
      logger.warn({ signal: "SIGUSR1" }, "SIGUSR1 is ignored: it would open a debugger that any local program can use"),
    ),
  ];
}

/** Handles SIGHUP: reads the policy and the plugins again. */
async function reread(host: PluginHost | undefined, logger: Logger): Promise<void> {
  try {
    await host?.refresh();
    logger.info({ signal: "SIGHUP" }, "SIGHUP: the policy and the plugins have been read again");
  } catch (error) {
    logger.error({ signal: "SIGHUP", err: error }, "SIGHUP: the policy and the plugins could not be read again");
  }
}

/** Logs what happens to plugins, for an operator. */
function follow(host: PluginHost, logger: Logger): void {
  host.on("plugin:loaded", ({ plugin }) => logger.info({ plugin }, `plugin "${plugin}" is loaded`));
  host.on("plugin:stopped", ({ plugin, reason }) => logger.info({ plugin }, `plugin "${plugin}" stopped: ${reason}`));
  host.on("plugin:restarted", ({ plugin, reason }) =>
    logger.warn({ plugin }, `plugin "${plugin}" was restarted after: ${reason}`),
  );
}
