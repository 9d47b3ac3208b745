/** Commands of a plugin's author. */
import { DriverError } from "../../driverapi/errors.js";
import { LOAD } from "../../load/limits.js";
import type { BenchFlags } from "../bench.js";
import type { MakeHost } from "../check.js";
import { devFlags } from "../dev/flags.js";
import type { Streams } from "../output.js";
import type { Daemon } from "../serve/serve.js";
import type { TestFlags } from "../test/flags.js";
import { type Add, collect } from "./add.js";

export interface AuthorParts {
  readonly streams: Streams;
  readonly json: boolean;
  readonly version: string;
  readonly makeHost: MakeHost | undefined;
  readonly daemon: Daemon | undefined;
}

export function addAuthorCommands(add: Add, { streams, json, version, makeHost, daemon }: AuthorParts): void {
  add({
    usage: "new <name>",
    does: "write the folder of a new plugin: driver, manifest, test, README",
    example: "bulkhead new plugins/mine --ts --with netlink,store",
    async work(path, command) {
      const { ts = false, with: uses = [] } = command.opts<{ ts?: true; with?: readonly string[] }>();
      const { newPlugin } = await import("../new/new.js");
      return newPlugin(path, { typescript: ts, uses, version });
    },
  })
    .option("--ts", "in TypeScript")
    .option("--with <permissions>", "permissions that the driver uses, as netlink,store", collect);
  add({
    usage: "check <path>",
    does: "bundle a plugin's file or folder, list what it asks for, and run its init",
    example: "bulkhead check plugins/mine",
    async work(path) {
      const { check } = await import("../check.js");
      return check(path, makeHost);
    },
  });
  devFlags(
    add({
      usage: "dev <path>",
      does: "run a plugin and load it again whenever its files change; show its calls and lines",
      example: "bulkhead dev plugins/mine --inspect",
      lines: true,
      async work(path, command) {
        if (!daemon) throw new DriverError("ERR_USAGE", "dev runs in a process of its own");
        const { runDev } = await import("../dev/command.js");
        return runDev(path, command, daemon, json);
      },
    }),
  );
  add({
    usage: "test <path>",
    does: "try the rules of the driver contract on a plugin, each in a host of its own",
    example: "bulkhead test plugins/mine --rule network-in-use",
    failed: "a rule is broken",
    lines: true,
    async work(path, command) {
      const { testPlugin } = await import("../test/test.js");
      return testPlugin(path, command.opts<TestFlags>(), json, streams.out);
    },
  })
    .option("--type <type>", "the network type to test (default: all that the plugin registers)")
    .option("--rule <id>", "only this rule; may be given more than once", collect)
    .option("--except <id>", "all but this rule; may be given more than once", collect)
    .option("--network-options <json>", "the options of networks; {n} in it is the network's number")
    .option("--rounds <number>", "repetitions in rules about leaks (default: 300)");
  add({
    usage: "schema [which]",
    does: "print the JSON Schema of a manifest, a policy or serve's config file",
    example: "bulkhead schema manifest",
    async work(which) {
      const { schema } = await import("../schema.js");
      return schema(which);
    },
  });
  add({
    usage: "bench <path>",
    does: "measure throughput and latency of a plugin's drivers under load",
    example: "bulkhead bench plugins/mine --seconds 10",
    async work(path, command) {
      const { bench } = await import("../bench.js");
      return bench(path, command.opts<BenchFlags>());
    },
  })
    .option("--isolation <isolation>", "thread, process or dedicated", "process")
    .option("--work <work>", "endpoint, lifecycle or network: what one unit of work does", "endpoint")
    .option("--seconds <number>", "duration of each measurement", String(LOAD.seconds))
    .option("--network-options <json>", "the options given to createNetwork", "{}");
}
