/** One plugin: its state and figures, its charts, what it may do, and what an operator can do with it. */
import type { PluginDetails, PluginRow } from "../../control/types.js";
import type { Series } from "../history.js";
import { ask } from "./api.js";
import { Chart } from "./chart.js";
import { CloserLook } from "./closer-look.js";
import { confirmed, type Question } from "./confirm.js";
import { make, setText } from "./dom.js";
import { grantInWords } from "./grant-words.js";

const GOOD: ReadonlySet<string> = new Set(["running"]);
const WARN: ReadonlySet<string> = new Set(["loading", "restarting", "orphaned", "awaiting-grant", "stopped"]);

type Action = "restart" | "quarantine" | "start";

const EFFECTS: Readonly<Record<Action, string>> = {
  restart: "Its worker ends, and starts again with the same bytes. Calls wait, and its networks are restored.",
  quarantine: "Its worker is terminated at once, and its calls are refused until you start it. Links and rules stay.",
  start: "Its files are loaded, and its networks are restored.",
};

export class PluginCard {
  readonly element: HTMLLIElement;
  readonly #id: string;
  readonly #state: HTMLElement = make("span", { class: "state" });
  readonly #types: HTMLElement = make("p");
  readonly #reason: HTMLElement = make("p", { class: "reason", hidden: "" });
  readonly #figures: ReadonlyMap<string, HTMLElement>;
  readonly #latency: Chart = new Chart("Latency", "ms");
  readonly #cpu: Chart = new Chart("CPU", "%");
  readonly #memory: Chart = new Chart("Memory", "MiB");
  readonly #grant: HTMLElement = make("div");
  readonly #closer: CloserLook;
  readonly #buttons: ReadonlyMap<Action, HTMLButtonElement>;
  readonly #outcome: HTMLElement = make("p", { role: "status" });

  /** `changed`: called when an action has ended. */
  constructor(id: string, changed: () => void) {
    this.#id = id;
    this.#closer = new CloserLook(id);
    this.#figures = new Map(FIGURES.map(([name]) => [name, make("dd")]));
    this.#buttons = new Map(
      (["restart", "quarantine", "start"] as const).map((action) => [action, this.#button(action, changed)]),
    );
    const may = make("details", {}, make("summary", {}, "What it may do"), this.#grant);
    may.addEventListener("toggle", () => {
      if (may.open) void this.#showGrant();
    });
    const figures = [...this.#figures].flatMap(([name, value]) => [make("dt", {}, name), value]);
    this.element = make(
      "li",
      { "data-plugin": id },
      make("div", { class: "heading" }, make("h3", {}, id), this.#state),
      this.#types,
      this.#reason,
      make("dl", {}, ...figures),
      make("div", { class: "charts" }, this.#latency.element, this.#cpu.element, this.#memory.element),
      may,
      this.#closer.element,
      make("div", { class: "actions" }, ...this.#buttons.values()),
      this.#outcome,
    );
  }

  show(row: PluginRow): void {
    setText(this.#state, row.state);
    this.#state.className = `state ${GOOD.has(row.state) ? "good" : WARN.has(row.state) ? "warn" : "bad"}`;
    const types = row.types.length === 0 ? "serves no type" : `serves ${row.types.join(", ")}`;
    setText(this.#types, [row.version ?? "", types, row.wall ?? ""].filter((part) => part !== "").join(" · "));
    const { reason } = row;
    setText(this.#reason, reason === null ? "" : `${reason.code}: ${reason.message}`);
    this.#reason.hidden = reason === null;
    for (const [name, text] of FIGURES) setText(this.#figures.get(name) as HTMLElement, text(row));
    this.#closer.show(row);
    const stopped = row.state !== "running" && row.state !== "orphaned";
    (this.#buttons.get("start") as HTMLButtonElement).hidden = !stopped;
    (this.#buttons.get("quarantine") as HTMLButtonElement).hidden = stopped;
  }

  chart(times: readonly number[], { latency, cpu, memory }: Series): void {
    this.#latency.show(times, latency);
    this.#cpu.show(times, cpu);
    this.#memory.show(times, memory);
  }

  #button(action: Action, changed: () => void): HTMLButtonElement {
    const name = `${action.charAt(0).toUpperCase()}${action.slice(1)}`;
    const button = make("button", { type: "button", "aria-label": `${name} ${this.#id}` }, name);
    if (action === "quarantine") button.className = "danger";
    const question: Question = { title: `${name} ${this.#id}?`, effect: EFFECTS[action], yes: name };
    button.addEventListener("click", () => {
      void confirmed(question).then((yes) => (yes ? this.#act(action, button, changed) : undefined));
    });
    return button;
  }

  async #act(action: Action, button: HTMLButtonElement, changed: () => void): Promise<void> {
    button.disabled = true;
    setText(this.#outcome, `${action}: in progress`);
    try {
      await ask(`/v1/plugins/${encodeURIComponent(this.#id)}/${action}`, "POST");
      setText(this.#outcome, `${action}: done`);
    } catch (error) {
      setText(this.#outcome, `${action}: ${(error as Error).message}`);
    } finally {
      button.disabled = false;
      changed();
    }
  }

  async #showGrant(): Promise<void> {
    try {
      const details = await ask<PluginDetails>(`/v1/plugins/${encodeURIComponent(this.#id)}`);
      this.#grant.replaceChildren(make("ul", {}, ...grantInWords(details).map((sentence) => make("li", {}, sentence))));
    } catch (error) {
      this.#grant.replaceChildren(make("p", { class: "reason" }, (error as Error).message));
    }
  }
}

const FIGURES: readonly (readonly [string, (row: PluginRow) => string])[] = [
  ["Calls", ({ calls }) => String(calls)],
  ["In progress", ({ inFlight }) => String(inFlight)],
  ["Errors", ({ errors }) => String(errors)],
  ["Timeouts", ({ timeouts }) => String(timeouts)],
  ["p50", ({ latency }) => milliseconds(latency.p50)],
  ["p99", ({ latency }) => milliseconds(latency.p99)],
  ["Restarts", ({ restarts }) => String(restarts)],
  ["Violations", ({ violations }) => String(violations)],
  ["CPU time", ({ cpuMs }) => `${(cpuMs / 1000).toFixed(1)} s`],
  ["PID", ({ pid }) => (pid === null ? "–" : String(pid))],
];

function milliseconds(ms: number): string {
  return `${ms < 10 ? Number(ms.toPrecision(2)) : Math.round(ms)} ms`;
}
