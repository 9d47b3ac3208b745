/** The commands that ask a running host, through its control socket. Everything they load is light: they start fast. */
import { type Command, Option } from "commander";
import { ControlClient } from "../../control/client.js";
import { controlPath } from "../../control/operations.js";
import { DEFAULT_TEXTS, defaultOf } from "../default-places.js";
import { helpEnd } from "../help.js";
import type { Streams, Terminal } from "../output.js";
import { DOCKER_ENGINE } from "../serve/defaults.js";
import { type ActionName, act } from "./act.js";
import { call } from "./call.js";
import { cluster } from "./cluster.js";
import { follow } from "./events.js";
import { inspect, networks } from "./inspect.js";
import { type Printer, runPrinted } from "./output.js";
import { ps, status } from "./plugins.js";
import { profile } from "./profile.js";
import { shape } from "./shape.js";
import { top } from "./top.js";
import { why } from "./why.js";

/** What a command works with. */
interface Given {
  readonly client: ControlClient;
  readonly printer: Printer;
  /** Its arguments, in order. */
  readonly args: readonly (string | undefined)[];
  readonly rest: readonly string[];
  readonly flags: Readonly<Record<string, unknown>>;
  readonly terminal: Terminal | undefined;
}

interface ControlCommand {
  readonly usage: string;
  readonly does: string;
  readonly example: string;
  readonly options?: (command: Command) => void;
  /** What exit code 1 means besides that the command failed. */
  readonly failed?: string;
  work(given: Given): Promise<void>;
}

const text = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);

function action(name: ActionName, does: string): ControlCommand {
  return {
    usage: `${name} <id>`,
    does,
    example: `bulkhead ${name} bridge`,
    work: ({ client, printer, args: [id = ""] }) => act(client, printer, name, id),
  };
}

function stream(name: "logs" | "events", does: string): ControlCommand {
  const kind = name === "logs" ? "log" : "event";
  return {
    usage: `${name} [id]`,
    does,
    example: `bulkhead ${name} -f bridge`,
    options: (command) =>
      command
        .option("-f, --follow", "go on with what comes")
        .option("-n, --lines <number>", "only the last ones (default: all that the host keeps)")
        .option("--since <event>", "only what came after the event with this id, which --json shows"),
    work: ({ client, printer, args: [plugin], flags }) => {
      const [lines, since] = [text(flags.lines), text(flags.since)];
      return follow(client, printer, { kind, plugin, follow: flags.follow === true, lines, since });
    },
  };
}

function profiled(name: "profile" | "heap", does: string): ControlCommand {
  const kind = name === "heap" ? "heap" : "cpu";
  return {
    usage: `${name} <id>`,
    does,
    example: `bulkhead ${name} bridge --seconds 5 --out bridge.${kind}profile`,
    options: (command) =>
      command
        .option("--seconds <number>", "for how long, up to 60", "10")
        .option("--out <file>", `the file to write (default: the id with .${kind}profile, in this folder)`),
    work: ({ client, printer, args: [id = ""], flags }) =>
      profile(client, printer, { kind, id, seconds: text(flags.seconds) ?? "", out: text(flags.out) }),
  };
}

const COMMANDS: readonly ControlCommand[] = [
  {
    usage: "ps",
    does: "list the plugins of the running host: state, calls, latency, memory, CPU",
    example: "bulkhead ps --json | jq -r 'select(.state != \"running\") | .id'",
    work: ({ client, printer }) => ps(client, printer),
  },
  {
    usage: "status [id]",
    does: "show the running host, or all about one of its plugins",
    example: "bulkhead status bridge",
    work: ({ client, printer, args: [id] }) => status(client, printer, id),
  },
  {
    usage: "top",
    does: "show the plugins of the running host, live; keys choose the order",
    example: "bulkhead top --sort m",
    options: (command) =>
      command
        .option("--seconds <number>", "time between two readings", "1")
        .option("--sort <key>", "the first order: c CPU, m memory, r calls, l latency, e errors, n name", "c"),
    work: ({ client, printer, flags, terminal }) =>
      top(client, printer, { seconds: text(flags.seconds) ?? "", sort: text(flags.sort) ?? "", terminal }),
  },
  stream("logs", "show the log of the running host, or of one plugin"),
  stream("events", "show what happened in the running host, or to one plugin"),
  {
    usage: "networks",
    does: "list the networks that the running host has recorded",
    example: "bulkhead networks",
    work: ({ client, printer }) => networks(client, printer),
  },
  {
    usage: "inspect <name>",
    does: "show a plugin, network or endpoint of the running host, as JSON",
    example: "bulkhead inspect 3f2a",
    work: ({ client, printer, args: [name = ""] }) => inspect(client, printer, name),
  },
  {
    usage: "why <from> [to]",
    does: "say why packets of an endpoint, container or address do not arrive, in general or at another one (with :PORT)",
    example: "bulkhead why web db:5432",
    options: (command) =>
      command.option("--engine <socket>", "the engine's own socket, asked for container names", DOCKER_ENGINE),
    failed: "a check does not hold",
    work: ({ client, printer, args: [from = "", to], flags }) =>
      why(client, printer, { from, to, engine: text(flags.engine) ?? DOCKER_ENGINE }),
  },
  {
    usage: "shape <endpoint>",
    does: "change rate, delay and loss of an endpoint of the running host, until its link is gone",
    example: "bulkhead shape 3f2a --rate 20mbit --delay 40ms --loss none",
    options: (command) =>
      command
        .option("--rate <amount>", "in each direction, such as 20mbit")
        .option("--burst <amount>", "what may pass at once above the rate, such as 64kb")
        .option("--delay <amount>", "of what goes to the endpoint, such as 40ms")
        .option("--jitter <amount>", "by which the delay varies, such as 5ms")
        .option("--loss <amount>", "of what goes to the endpoint, such as 1%; none removes this or another amount")
        .option("--reset", "back to what its driver asked for"),
    work: ({ client, printer, args: [endpoint = ""], flags }) => shape(client, printer, endpoint, flags),
  },
  {
    usage: "cluster <what> [host]",
    does: "status: the store that hosts share; hosts: those alive; networks: of scope global; fence: state that a host is gone",
    example: "bulkhead cluster fence host-3 --reason 'burnt down'",
    options: (command) =>
      command
        .option("--plugin <id>", "fence: only for this plugin (default: for all that share state)")
        .option("--reason <text>", "fence: why, for other operators and the audit log")
        .option("--force", "fence: also if the host is alive")
        .option("--undo", "fence: take it back"),
    work: ({ client, printer, args: [what = "", host], flags }) =>
      cluster(client, printer, what, host, {
        ...{ plugin: text(flags.plugin), reason: text(flags.reason) },
        ...{ force: flags.force === true, undo: flags.undo === true },
      }),
  },
  profiled("profile", "show what a plugin's worker spends its time on while it serves, and write a .cpuprofile"),
  profiled("heap", "show what a plugin's worker allocates and still uses while it serves, and write a .heapprofile"),
  action("restart", "end a plugin's worker in the running host, start it again, and replay its networks"),
  action(
    "stop",
    "refuse a plugin's calls in the running host until it is started, and end its worker after those in progress",
  ),
  action("start", "start a plugin that was stopped or quarantined in the running host, or is out of service"),
  action("reload", "load a plugin's files again; the running version serves until the new one replaces it"),
  action("quarantine", "terminate a plugin's worker at once and refuse its calls; its links and rules stay"),
  {
    usage: "call <type> <method> [args...]",
    does: "call a driver of the running host; the method's arguments without epInfo and jinfo",
    example: `bulkhead call bridge createNetwork n1 '{"mtu": 1400}'`,
    work: ({ client, printer, args: [type = "", method = ""], rest }) =>
      call(client, printer, { type, method, args: rest }),
  },
];

/** The commands' names. */
export const CONTROL_COMMANDS: ReadonlySet<string> = new Set(COMMANDS.map(({ usage }) => usage.split(" ")[0] ?? ""));

/** Adds the commands. `done` gets each one's exit code. */
export function addControlCommands(
  program: Command,
  streams: Streams,
  json: boolean,
  done: (exit: number) => void,
): void {
  for (const { usage, does, example, options, failed, work } of COMMANDS) {
    const command = program.command(usage).description(does).allowExcessArguments(false);
    command
      .addOption(new Option("--json", "print a line of JSON for each"))
      .option("--data-dir <folder>", `the host's data folder (${DEFAULT_TEXTS.dataDir})`)
      .option("--control <path>", "the host's control socket (default: control.sock in its data folder)")
      .addHelpText("after", helpEnd({ example, failed, asksHost: true }));
    options?.(command);
    command.action(async () => {
      const flags = command.opts<Readonly<Record<string, unknown>>>();
      const socket = text(flags.control) ?? controlPath(text(flags.dataDir) ?? defaultOf("dataDir"));
      const args = command.processedArgs.map(text);
      const rest = command.processedArgs.find(Array.isArray) ?? [];
      done(
        await runPrinted(streams, json, (printer) =>
          work({ client: new ControlClient(socket), printer, args, rest, flags, terminal: streams.terminal }),
        ),
      );
    });
  }
}
