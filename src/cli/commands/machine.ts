/** Commands about this machine and the daemon on it. */
import type { Platform } from "../../attachments/attachment.js";
import { DriverError } from "../../driverapi/errors.js";
import { runServe, serveFlags } from "../serve/command.js";
import { DOCKER_ENGINE } from "../serve/defaults.js";
import type { Daemon } from "../serve/serve.js";
import type { Add } from "./add.js";
import { dataDirOf, hostOf, placesOf, withDataDir, withHost, withPolicy } from "./places.js";

/** The platforms that find drivers as executables: where each looks, by default. */
const EXECUTABLES: Readonly<
  Record<Platform, { readonly dir: string; readonly starts: string; readonly makeDir: boolean }>
> = {
  cni: { dir: "/opt/cni/bin", starts: "CNI runtimes find", makeDir: false },
  podman: { dir: "/usr/local/libexec/netavark", starts: "Podman finds", makeDir: true },
};

export function addMachineCommands(add: Add, daemon: Daemon | undefined): void {
  withPolicy(
    add({
      usage: "doctor",
      does: "test every wall around plugins from inside, check the machine's network, and print how to fix what fails",
      example: "bulkhead doctor --netns blue",
      failed: "a check does not hold",
      async work(_, command) {
        const { doctor } = await import("../doctor.js");
        return doctor({ ...placesOf(command), ...command.opts<{ netns?: string; cluster?: string }>() });
      },
    }),
  )
    .option("--netns <name>", "the network namespace to check")
    .option("--cluster <file>", "a file that names the store which hosts share, as for serve");
  serveFlags(
    add({
      usage: "serve",
      does: "serve the drivers to a Docker engine until a signal",
      example: "bulkhead serve --config /etc/bulkhead/serve.json",
      async work(_, command) {
        if (!daemon) throw new DriverError("ERR_USAGE", "serve runs in a process of its own");
        await runServe(command, daemon);
        return { data: { stopped: true }, text: "" };
      },
    }),
  );
  withDataDir(
    add({
      usage: "ports",
      does: "show the published ports of this machine, also while a host runs",
      example: "bulkhead ports --json",
      async work(_, command) {
        const { ports } = await import("../ports.js");
        return ports({ dataDir: dataDirOf(command), engine: command.opts<{ engine: string }>().engine });
      },
    }),
  ).option("--engine <socket>", "the engine's own socket, asked for container names", DOCKER_ENGINE);
}

export function addExecutableCommands(add: Add): void {
  for (const [platform, { dir: folder, starts, makeDir }] of Object.entries(EXECUTABLES)) {
    withHost(
      add({
        usage: `${platform} <what>`,
        does: `install or uninstall: an executable for each driver in service, by which ${starts} it`,
        example: `bulkhead ${platform} install`,
        asksHost: true,
        async work(what, command) {
          const { executables } = await import("../executables.js");
          const { dir, prefix } = command.opts<{ dir: string; prefix: string }>();
          const { socket } = hostOf(command);
          const node = process.execPath;
          return executables({ platform: platform as Platform, what, dir, makeDir, prefix, socket, node });
        },
      }),
    )
      .option("--dir <folder>", "where the platform looks for plugins", folder)
      .option("--prefix <text>", "prefix of a type in its executable's name", "bulkhead-");
  }
}
