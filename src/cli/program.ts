/** The commands and their options. */
import { Command, Option } from "commander";
import { controlPath } from "../control/operations.js";
import { DriverError } from "../driverapi/errors.js";
import { LEARNING } from "../learning/limits.js";
import { LOAD } from "../load/limits.js";
import type { HostPlace } from "./applied.js";
import type { BenchFlags } from "./bench.js";
import type { MakeHost } from "./check.js";
import { addControlCommands } from "./control/commands.js";
import { DEFAULT_TEXTS, defaultOf } from "./default-places.js";
import { devFlags } from "./dev/flags.js";
import { EXIT, type Report, runReported, type Streams } from "./output.js";
import { parse } from "./parse.js";
import type { Places } from "./places.js";
import type { LearnOptions } from "./policy/learn.js";
import type { RecordOptions } from "./record.js";
import { runServe, serveFlags } from "./serve/command.js";
import { DOCKER_ENGINE } from "./serve/defaults.js";
import type { Daemon } from "./serve/serve.js";
import type { TestFlags } from "./test/flags.js";

/** Gathers an option that may be given more than once. */
const collect = (value: string, before: readonly string[] | undefined): readonly string[] => [...(before ?? []), value];

/** Parts that the perimeter provides and tests replace. */
export interface ProgramParts {
  readonly makeHost?: MakeHost;
  /** What `serve` needs of its process. */
  readonly daemon?: Daemon;
}

/** Runs `bulkhead` with `argv` (without node and script) and gives the exit code. Never throws. */
export async function runProgram(
  argv: readonly string[],
  streams: Streams,
  version: string,
  parts: ProgramParts = {},
): Promise<number> {
  // Commander reports wrong use before it has parsed the options.
  const json = argv.includes("--json");
  let exit: number = EXIT.done;
  const program = new Command("bulkhead");
  program.description("Runs network drivers written by people you do not trust.");

  const command = (
    usage: string,
    description: string,
    work: (id: string, command: Command) => Promise<Report>,
    /** `--json` prints an object per line while the command runs. */
    lines = false,
  ): Command => {
    const one = program.command(usage).description(description).allowExcessArguments(false);
    one.addOption(new Option("--json", lines ? "print a JSON object per line" : "print one JSON object"));
    one.action(async (...args: unknown[]) => {
      const [id] = args;
      exit = await runReported(json, streams, () => work(typeof id === "string" ? id : "", one), lines);
    });
    return one;
  };

  withPlaces(
    command("ls", "list the plugins, what they ask for and what they are granted", async (_, one) => {
      const { list } = await import("./ls.js");
      return list(placesOf(one));
    }),
  );
  withHost(
    withPlaces(
      command(
        "grant <id>",
        "grant a plugin what it asks for, and pin its bytes; a running host applies it at once",
        async (id, one) => {
          const { grant } = await import("./grant.js");
          const { parseSetting } = await import("../policy/grant-settings.js");
          const { dryRun = false, takeType, set } = one.opts<{ dryRun?: true; takeType?: string[]; set?: string[] }>();
          return grant(id, {
            ...placesOf(one),
            ...hostOf(one),
            dryRun,
            takeTypes: takeType,
            settings: set?.map(parseSetting),
          });
        },
      ),
    ),
  )
    .option("--dry-run", "only print what would be granted")
    .option(
      "--set <permission.limit=value>",
      "set a limit of the grant, as netlink.prefix=bh, or name an optional permission; may be given more than once",
      collect,
    )
    .option(
      "--take-type <type>",
      "take over a network type whose networks another plugin made; may be given more than once",
      collect,
    );
  withHost(
    withPolicy(
      command(
        "revoke <id>",
        "take back what was granted to a plugin; a running host applies it at once",
        async (id, one) => {
          const { revoke } = await import("./revoke.js");
          return revoke(id, { ...placesOf(one), ...hostOf(one) });
        },
      ),
    ),
  );
  withHost(
    withPlaces(
      command(
        "policy <what> [name]",
        "check: whether a policy is valid; diff: what it would change for each plugin; learn: the smallest grant of a plugin",
        async (what, one) => {
          const { policy } = await import("./policy/policy.js");
          return policy(what, one.args[1], { ...placesOf(one), ...hostOf(one) }, one.opts<LearnOptions>());
        },
      ),
    ),
  )
    .option("--seconds <number>", `with learn: how long to watch the running plugin (default: ${LEARNING.seconds})`)
    .option(
      "--tests <path>",
      "with learn: run the tests in a file or folder instead, with your rights and outside every wall",
    )
    .addHelpText("after", "\nExample:\n  bulkhead policy learn bridge --seconds 600");
  command("new <name>", "write the folder of a new plugin: driver, manifest, test, README", async (path, one) => {
    const { ts = false, with: uses = [] } = one.opts<{ ts?: true; with?: readonly string[] }>();
    const { newPlugin } = await import("./new/new.js");
    return newPlugin(path, { typescript: ts, uses, version });
  })
    .option("--ts", "in TypeScript")
    .option("--with <permissions>", "permissions that the driver uses, as netlink,store", collect);
  command("check <path>", "bundle a plugin's file or folder, list what it asks for, and run its init", async (path) => {
    const { check } = await import("./check.js");
    return check(path, parts.makeHost);
  });
  devFlags(
    command(
      "dev <path>",
      "run a plugin and load it again whenever its files change; show its calls and lines",
      async (path, one) => {
        if (!parts.daemon) throw new DriverError("ERR_USAGE", "dev runs in a process of its own");
        const { runDev } = await import("./dev/command.js");
        return runDev(path, one, parts.daemon, json);
      },
      true,
    ),
  );
  command(
    "test <path>",
    "try the rules of the driver contract on a plugin, each in a host of its own",
    async (path, one) => {
      const { testPlugin } = await import("./test/test.js");
      return testPlugin(path, one.opts<TestFlags>(), json, streams.out);
    },
    true,
  )
    .option("--type <type>", "the network type to test (default: all that the plugin registers)")
    .option("--rule <id>", "only this rule; may be given more than once", collect)
    .option("--except <id>", "all but this rule; may be given more than once", collect)
    .option("--network-options <json>", "the options of networks; {n} in it is the network's number")
    .option("--rounds <number>", "repetitions in rules about leaks (default: 300)");
  command("schema [which]", "print the JSON Schema of a manifest, a policy or serve's config file", async (which) => {
    const { schema } = await import("./schema.js");
    return schema(which);
  });
  command("bench <path>", "measure throughput and latency of a plugin's drivers under load", async (path, one) => {
    const { bench } = await import("./bench.js");
    return bench(path, one.opts<BenchFlags>());
  })
    .option("--isolation <isolation>", "thread, process or dedicated", "process")
    .option("--work <work>", "endpoint, lifecycle or network: what one unit of work does", "endpoint")
    .option("--seconds <number>", "duration of each measurement", String(LOAD.seconds))
    .option("--network-options <json>", "the options given to createNetwork", "{}");
  withPolicy(
    command(
      "doctor",
      "test every wall around plugins from inside, check the machine's network, and print how to fix what fails",
      async (_, one) => {
        const { doctor } = await import("./doctor.js");
        return doctor({ ...placesOf(one), netns: one.opts<{ netns?: string }>().netns });
      },
    ),
  ).option("--netns <name>", "the network namespace to check");
  serveFlags(
    command("serve", "serve the drivers to a Docker engine until a signal", async (_, one) => {
      if (!parts.daemon) throw new DriverError("ERR_USAGE", "serve runs in a process of its own");
      await runServe(one, parts.daemon);
      return { data: { stopped: true }, text: "" };
    }),
  );

  command("ports", "show the published ports of this machine, also while a host runs", async (_, one) => {
    const { dataDir = defaultOf("dataDir"), engine } = one.opts<{ dataDir?: string; engine: string }>();
    const { ports } = await import("./ports.js");
    return ports({ dataDir, engine });
  })
    .option("--data-dir <folder>", `the data folder (${DEFAULT_TEXTS.dataDir})`)
    .option("--engine <socket>", "the engine's own socket, asked for container names", DOCKER_ENGINE);
  command("state", "show what a data folder holds, also while a host runs on it", async (_, one) => {
    const { dataDir = defaultOf("dataDir"), ...rest } = one.opts<{
      dataDir?: string;
      export?: string;
      recover?: true;
      yes?: true;
      backup?: string;
    }>();
    const { state } = await import("./state.js");
    return state({
      dataDir,
      export: rest.export,
      backup: rest.backup,
      recover: rest.recover === true,
      yes: rest.yes === true,
    });
  })
    .option("--data-dir <folder>", `the data folder (${DEFAULT_TEXTS.dataDir})`)
    .option("--export <file>", "write its contents to a new file, as JSON")
    .option("--backup <folder>", "copy the state, also while a host runs, into a new folder that a host can open")
    .option("--recover", "replace damaged files with what can be read of them; needs --yes if rows are lost")
    .option("--yes", "with --recover: go on although rows are lost; the damaged files are kept");

  withDataDir(
    command(
      "record <what> [id]",
      "show: the last calls and requests of a host, or of one plugin; export: write them to a file for bulkhead/testing",
      async (what, one) => {
        const { record } = await import("./record.js");
        const { dataDir = defaultOf("dataDir"), ...rest } = one.opts<Partial<RecordOptions>>();
        return record(what, { ...rest, dataDir, id: one.args[1] });
      },
    ),
  )
    .option("--last <number>", "with show: how many (default: 50)")
    .option("--failed", "with show: only failed calls and requests, with events and gaps")
    .option("--out <file>", "with export: the new file (default: recording.jsonl, in this folder)")
    .addHelpText("after", "\nExample:\n  bulkhead record export bridge --out failure.jsonl");
  withDataDir(
    command(
      "backup <to>",
      "copy the state into a new file, or a new folder (its name ends in /), also while a host runs",
      async (to, one) => {
        const { backup } = await import("./backup.js");
        return backup(to, one.opts<{ dataDir?: string }>().dataDir ?? defaultOf("dataDir"));
      },
    ),
  );
  withDataDir(
    command("restore <from>", "put the state of a backup into an empty data folder", async (from, one) => {
      const { restoreBackup } = await import("./backup.js");
      return restoreBackup(from, one.opts<{ dataDir?: string }>().dataDir ?? defaultOf("dataDir"));
    }),
  );

  command("completion <shell>", "print the completion script of bash, zsh or fish", async (shell) => {
    const { completion } = await import("./completion.js");
    return completion(program, shell);
  });
  addControlCommands(program, streams, json, (code) => {
    exit = code;
  });
  const failed = await parse(program, argv, { json, streams, version });
  return failed ?? exit;
}

function withPlaces(command: Command): Command {
  const collect = (folder: string, before: readonly string[] | undefined): readonly string[] => [
    ...(before ?? []),
    folder,
  ];
  return withPolicy(command).option(
    "--plugins <folder>",
    `the plugins folder; may be given more than once (${DEFAULT_TEXTS.plugins})`,
    collect,
  );
}

function withPolicy(command: Command): Command {
  return command.option("--policy <file>", `the policy's file (${DEFAULT_TEXTS.policy})`);
}

function withDataDir(command: Command): Command {
  return command.option("--data-dir <folder>", `the data folder (${DEFAULT_TEXTS.dataDir})`);
}

function withHost(command: Command): Command {
  return command
    .option("--data-dir <folder>", `the host's data folder (${DEFAULT_TEXTS.dataDir})`)
    .option("--control <path>", "the host's control socket (default: control.sock in its data folder)");
}

function hostOf(command: Command): HostPlace {
  const { dataDir, control } = command.opts<{ dataDir?: string; control?: string }>();
  return { socket: control ?? controlPath(dataDir ?? defaultOf("dataDir")) };
}

function placesOf(command: Command): Places {
  const { plugins = [defaultOf("plugins")], policy } = command.opts<{ plugins?: readonly string[]; policy?: string }>();
  return { plugins, policy: policy ?? defaultOf("policy"), policyNamed: policy !== undefined };
}
