/** Commands about what plugins may do. */
import { LEARNING } from "../../learning/limits.js";
import type { LearnOptions } from "../policy/learn.js";
import { type Add, collect } from "./add.js";
import { hostOf, placesOf, withHost, withPlaces, withPolicy } from "./places.js";

export function addGrantCommands(add: Add): void {
  withPlaces(
    add({
      usage: "ls",
      does: "list the plugins, what they ask for and what they are granted",
      example: "bulkhead ls --plugins /usr/share/bulkhead/plugins",
      async work(_, command) {
        const { list } = await import("../ls.js");
        return list(placesOf(command));
      },
    }),
  );
  withHost(
    withPlaces(
      add({
        usage: "grant <id>",
        does: "grant a plugin what it asks for, and pin its bytes; a running host applies it at once",
        example: "bulkhead grant bridge --set netlink.prefix=br",
        async work(id, command) {
          const { grant } = await import("../grant.js");
          const { parseSetting } = await import("../../policy/grant-settings.js");
          const flags = command.opts<{ dryRun?: true; takeType?: string[]; set?: string[] }>();
          return grant(id, {
            ...placesOf(command),
            ...hostOf(command),
            dryRun: flags.dryRun === true,
            takeTypes: flags.takeType,
            settings: flags.set?.map(parseSetting),
          });
        },
      }),
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
      add({
        usage: "revoke <id>",
        does: "take back what was granted to a plugin; a running host applies it at once",
        example: "bulkhead revoke bridge",
        async work(id, command) {
          const { revoke } = await import("../revoke.js");
          return revoke(id, { ...placesOf(command), ...hostOf(command) });
        },
      }),
    ),
  );
  withHost(
    withPlaces(
      add({
        usage: "policy <what> [name]",
        does: "check: whether a policy is valid; diff: what it would change for each plugin; learn: the smallest grant of a plugin",
        example: "bulkhead policy learn bridge --seconds 600",
        asksHost: true,
        async work(what, command) {
          const { policy } = await import("../policy/policy.js");
          const places = { ...placesOf(command), ...hostOf(command) };
          return policy(what, command.args[1], places, command.opts<LearnOptions>());
        },
      }),
    ),
  )
    .option("--seconds <number>", `with learn: how long to watch the running plugin (default: ${LEARNING.seconds})`)
    .option(
      "--tests <path>",
      "with learn: run the tests in a file or folder instead, with your rights and outside every wall",
    );
}
