/** Runs the IPAM plugin that a configuration names, in the executable: the daemon does not start programs that a configuration names. */
import type { ExecutableReply, ExecutableRequest } from "../attachments/executable.js";
import { CNI_ERRORS, CNI_LATEST } from "./versions.js";

type Told = (request: ExecutableRequest) => Promise<ExecutableReply>;

/** Asks the IPAM plugin and the daemon, in the order that each command needs, and releases the addresses of an ADD that fails. */
export async function delegate(
  plugin: string,
  command: string,
  config: string,
  told: Told,
  request: ExecutableRequest,
): Promise<ExecutableReply> {
  const run = (verb: string): ExecutableReply => runPlugin(plugin, verb, config);
  switch (command) {
    case "ADD": {
      const chosen = run("ADD");
      if (chosen.exit !== 0) return chosen;
      const reply = await told({ ...request, args: [chosen.output] });
      if (reply.exit !== 0) run("DEL");
      return reply;
    }
    case "DEL": {
      const reply = await told(request);
      const released = run("DEL");
      return reply.exit === 0 ? { ...released, output: released.exit === 0 ? "" : released.output } : reply;
    }
    default: {
      const reply = run(command);
      // A plugin of an earlier version knows neither GC nor STATUS.
      return reply.exit === 0 || isUnknown(reply) ? told(request) : reply;
    }
  }
}

function runPlugin(plugin: string, command: string, config: string): ExecutableReply {
  const { existsSync } = process.getBuiltinModule("node:fs");
  const { spawnSync } = process.getBuiltinModule("node:child_process");
  const folders = (process.env.CNI_PATH ?? "").split(":").filter((one) => one !== "");
  const path = folders.map((folder) => `${folder}/${plugin}`).find((one) => existsSync(one));
  if (path === undefined || plugin.includes("/"))
    return failure(`the IPAM plugin ${JSON.stringify(plugin)} is not in CNI_PATH (${folders.join(":")})`);
  const { status, stdout, error } = spawnSync(path, {
    ...{ input: config, encoding: "utf8", stdio: ["pipe", "pipe", "inherit"] },
    env: { ...process.env, CNI_COMMAND: command },
  });
  if (error) return failure(`the IPAM plugin ${path} could not be run: ${error.message}`);
  return { exit: status ?? 1, output: stdout };
}

function isUnknown({ output }: ExecutableReply): boolean {
  return output.includes("unknown CNI_COMMAND") || output.includes("config version does not allow");
}

function failure(msg: string): ExecutableReply {
  return { exit: 1, output: JSON.stringify({ cniVersion: CNI_LATEST, code: CNI_ERRORS.config, msg }) };
}
