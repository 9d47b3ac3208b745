/** The list of events: refusals, terminations, restarts and timeouts, as they come. */
import type { HostEvent } from "../../control/types.js";
import { byId, make } from "./dom.js";

/** Entries that the list keeps. */
const KEPT = 200;

/** Adds an event on top. */
export function showEvent({ time, plugin, event, code, message }: HostEvent): void {
  const at = new Date(time);
  const about = [plugin, event, code].filter((part) => part !== undefined).join(" · ");
  add(
    make("time", { datetime: time, title: at.toLocaleString() }, at.toLocaleTimeString()),
    make("strong", {}, about),
    ` ${message}`,
  );
}

/** Says that events were evicted before the page read them. */
export function showMissed(count: number): void {
  add(make("span", { class: "lost" }, `${count} events were missed`));
}

function add(...parts: readonly (Node | string)[]): void {
  const list = byId("events");
  list.prepend(make("li", {}, ...parts));
  while (list.childElementCount > KEPT) list.lastElementChild?.remove();
}
