/** A closer look at a plugin: how its calls ended, its last errors, and the commands that show more. */
import type { PluginDetails, PluginRow } from "../../control/types.js";
import { ask } from "./api.js";
import { make, table } from "./dom.js";

/** Commands of an operator's, without the plugin's id, which follows. */
const COMMANDS: readonly (readonly [string, string])[] = [
  ["bulkhead logs -f", "what it writes"],
  ["bulkhead profile", "which functions use CPU time"],
  ["bulkhead heap", "which functions allocate memory that stays in use"],
  ["bulkhead policy learn", "the smallest grant for what it does"],
  ["bulkhead record show --failed", "its recorded calls and requests that failed"],
];

export class CloserLook {
  readonly element: HTMLDetailsElement;
  readonly #id: string;
  readonly #calls: HTMLElement = make("div");
  /** The figures for which the calls are shown. */
  #shown = "";

  constructor(id: string) {
    this.#id = id;
    const commands = COMMANDS.map(([command, says]) =>
      make("li", {}, make("code", {}, `${command} ${id}`), ` ${says}`),
    );
    this.element = make(
      "details",
      {},
      make("summary", {}, "A closer look"),
      this.#calls,
      make("p", {}, "On the host:"),
      make("ul", { class: "commands" }, ...commands),
    );
    this.element.addEventListener("toggle", () => {
      if (this.element.open) void this.#show();
    });
  }

  /** Refreshes what is open, if calls were answered meanwhile. */
  show({ calls, errors }: PluginRow): void {
    const figures = `${calls} ${errors}`;
    if (figures === this.#shown) return;
    this.#shown = figures;
    if (this.element.open) void this.#show();
  }

  async #show(): Promise<void> {
    try {
      const { answers, lastErrors } = await ask<PluginDetails>(`/v1/plugins/${encodeURIComponent(this.#id)}`);
      const answered = answers.map(({ type, method, code, count }) => [`${type}.${method}`, code, String(count)]);
      const failed = [...lastErrors]
        .reverse()
        .map(({ time, method, code, message }) => [time.slice(11, 19), method ?? "", code, message]);
      this.#calls.replaceChildren(
        scrolled("Answered calls", table(["Method", "Outcome", "Calls"], answered, "No call was answered.")),
        scrolled("Last errors", table(["Time (UTC)", "Method", "Code", "Message"], failed, "No errors.")),
      );
    } catch (error) {
      this.#calls.replaceChildren(make("p", { class: "reason" }, (error as Error).message));
    }
  }
}

/** Returns a table that scrolls by itself, also by keyboard. */
function scrolled(label: string, content: HTMLElement): HTMLElement {
  return make("section", { class: "scroll", "aria-label": label, tabindex: "0" }, content);
}
