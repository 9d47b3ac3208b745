/** Changes of nftables as `nft monitor` prints them: a transaction's lines, then `# new generation 4 by process 22451 (nft)`. */
import { Monitor } from "../../netlink/kernel/monitor.js";
import type { ChangeMonitor } from "../../poll-scheduler.js";
import type { RuleEvents } from "../rule-events.js";
import { ownChangesIn } from "./own-changes.js";
import type { Tools } from "./tools.js";

/** Lines about our tables, or about rules that let our packets pass. */
const CONCERNS = /bulkhead|\bFORWARD\b|DOCKER-USER|^(?:add|delete) table inet firewalld/;

/** The table that a line is about: `delete rule inet NAME forward handle 7`. */
const TABLE = /^(\w+ \w+) inet (bulkhead\S+)/;

/** What the lines so far tell of one transaction. */
interface Transaction {
  concerns: boolean;
  /** Tables named as ours are, and whether each is removed. */
  readonly tables: Map<string, boolean>;
}

export function watchRules(tools: Tools, events: RuleEvents): ChangeMonitor {
  let current: Transaction = { concerns: false, tables: new Map() };
  return new Monitor({
    command: tools.command("watch", "nft", ["monitor"]),
    line(text) {
      const [, pid, name = ""] = /^# new generation \d+ by process (\d+) \((.*)\)$/.exec(text) ?? [];
      if (pid === undefined) {
        current.concerns ||= CONCERNS.test(text);
        const [, deed, table] = TABLE.exec(text) ?? [];
        if (table !== undefined) current.tables.set(table, deed === "delete table");
        return;
      }
      const { concerns, tables } = current;
      current = { concerns: false, tables: new Map() };
      const removes = [...tables].flatMap(([table, removed]) => (removed ? [table] : []));
      void ownChangesIn(tools.netns)
        .made(Number(pid), name, removes.sort())
        .then((ours) => concerns && !ours && events.changed(`process ${pid} (${name})`, [...tables.keys()]));
    },
    lost: (why) => events.blind(why),
  });
}
