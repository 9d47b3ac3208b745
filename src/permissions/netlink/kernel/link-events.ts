/** Changes of links, default routes and forwarding, as `ip -oneline monitor` tells them. */
import type { ChangeMonitor } from "../../poll-scheduler.js";
import type { LinkEvents } from "../link-events.js";
import { Monitor } from "./monitor.js";

/** `command`: what runs `ip` in the namespace. */
export function watchLinks(command: readonly string[], events: LinkEvents): ChangeMonitor {
  return new Monitor({
    command: [...command, "-oneline", "monitor", "link", "route", "netconf"],
    line(text) {
      // "Deleted 5: bh-a: <...", "5: bh-a@if4: <...", "default via ...", "Deleted default via ...", "inet all forwarding on".
      const [, deleted, index, name = ""] = /^(Deleted )?(\d+): ([^:@\s]+)[:@]/.exec(text) ?? [];
      if (index !== undefined) events.link(Number(index), name, deleted !== undefined);
      else if (/^(Deleted )?default /.test(text)) events.routes();
      else if (/^inet6? all forwarding off/.test(text)) events.forwarding();
    },
    lost: (why) => events.blind(why),
  });
}
