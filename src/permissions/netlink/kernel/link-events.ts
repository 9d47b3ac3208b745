/** Changes of links, default routes, rules of policy routing and forwarding, as `ip -oneline monitor` tells them. */
import type { ChangeMonitor } from "../../poll-scheduler.js";
import type { LinkEvents } from "../link-events.js";
import { Monitor } from "./monitor.js";

/** `command`: what runs `ip` in the namespace. */
export function watchLinks(command: readonly string[], events: LinkEvents): ChangeMonitor {
  return new Monitor({
    command: [...command, "-oneline", "monitor", "link", "route", "rule", "netconf"],
    line(text) {
      // "Deleted 5: bh-a: <...", "5: bh-a@if4: <...", "default via ...", "Deleted default via ...", "inet all forwarding on",
      // "Deleted 90:	from all fwmark 0/0x10000000 iif bh-a prohibit".
      const [, deleted, index, name = ""] = /^(Deleted )?(\d+): ([^:@\s]+)[:@]/.exec(text) ?? [];
      if (index !== undefined) events.link(Number(index), name, deleted !== undefined);
      else if (/^(Deleted )?default |^Deleted \d+:\s+from .* iif /.test(text)) events.routes();
      else if (/^inet6? all forwarding off/.test(text)) events.forwarding();
    },
    lost: (why) => events.blind(why),
  });
}
