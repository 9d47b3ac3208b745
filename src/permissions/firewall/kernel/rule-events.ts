/** Changes of nftables as `nft monitor` prints them: a transaction's lines, then `# new generation 4 by process 22451 (nft)`. */
import { Monitor } from "../../netlink/kernel/monitor.js";
import type { ChangeMonitor } from "../../poll-scheduler.js";
import type { RuleEvents } from "../rule-events.js";
import { ownChangesIn } from "./own-changes.js";
import type { Tools } from "./tools.js";

/** Lines about our tables, or about rules that let our packets pass. */
const CONCERNS = /bulkhead|\bFORWARD\b|DOCKER-USER|^(?:add|delete) table inet firewalld/;

/** The table that a line is about: `delete rule inet NAME forward handle 7`. */
const TABLE = /^\w+ \w+ inet (bulkhead\S+)/;

export function watchRules(tools: Tools, events: RuleEvents): ChangeMonitor {
  let concerns = false;
  let names = new Set<string>();
  return new Monitor({
    command: tools.command("watch", "nft", ["monitor"]),
    line(text) {
      const [, pid, name = ""] = /^# new generation \d+ by process (\d+) \((.*)\)$/.exec(text) ?? [];
      if (pid === undefined) {
        concerns ||= CONCERNS.test(text);
        const [, table] = TABLE.exec(text) ?? [];
        if (table !== undefined) names.add(table);
        return;
      }
      const [concerned, changed] = [concerns, [...names]];
      concerns = false;
      names = new Set();
      void ownChangesIn(tools.netns)
        .made(Number(pid), name)
        .then((ours) => concerned && !ours && events.changed(`process ${pid} (${name})`, changed));
    },
    lost: (why) => events.blind(why),
  });
}
