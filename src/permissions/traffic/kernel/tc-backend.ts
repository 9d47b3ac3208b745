/** Traffic control through iproute2: `tc -batch` for disciplines and filters, `ip -batch` for the links that limit what comes in. */

import { execute } from "../../netlink/kernel/ip.js";
import { Monitor } from "../../netlink/kernel/monitor.js";
import { commandIn } from "../../netlink/kernel/programs.js";
import type { ChangeMonitor } from "../../poll-scheduler.js";
import type { Failure, ShapedLink, TrafficBackend, TrafficEvents } from "../backend.js";
import { failed } from "../errors.js";
import type { ShapeField } from "../shape.js";
import { type Line, programOf } from "./lines.js";
import { Probe } from "./probe.js";

/** A link, and the one that limits what comes in by it. */
type Pair = Pick<ShapedLink, "link" | "ifb">;

export class TcBackend implements TrafficBackend {
  readonly kind = "kernel";
  readonly #netns: string | undefined;
  readonly #probe = new Probe();

  constructor(netns: string | undefined) {
    this.#netns = netns;
  }

  missing(fields: readonly ShapeField[]): Promise<ReadonlyMap<ShapeField, string>> {
    return this.#probe.missing(fields);
  }

  async apply(links: readonly ShapedLink[]): Promise<readonly (Failure | undefined)[]> {
    const failures = await this.#carryOut(links);
    const undo = links.filter((_, at) => failures[at] !== undefined);
    if (undo.length > 0) await this.#carryOut(undo.map((one) => ({ ...one, shape: {} })));
    return failures;
  }

  async remove(links: readonly Pair[]): Promise<void> {
    const lines = links.map(({ ifb }) => `link delete dev ${ifb}`);
    if (lines.length > 0) await this.#run("ip", lines);
  }

  async listing(links: readonly Pair[]): Promise<ReadonlyMap<string, string>> {
    const lines = links.map(({ link }) => `filter show dev ${link} ingress`);
    const { stdout } = await this.#run("tc", ["qdisc show", ...lines]);
    const disciplines = new Map<string, string[]>();
    for (const line of stdout.split("\n")) {
      const dev = /^qdisc .* dev (\S+) /.exec(line)?.[1];
      if (dev === undefined) continue;
      const text = line.replace(/ refcnt \d+/, "").trim();
      disciplines.set(dev, [...(disciplines.get(dev) ?? []), text]);
    }
    return new Map(
      links.map(({ link, ifb }) => {
        const own = [...(disciplines.get(link) ?? []), ...(disciplines.get(ifb) ?? [])];
        const redirected = stdout.includes(`(Egress Redirect to device ${ifb})`);
        return [link, [...own, ...(redirected ? ["redirected"] : [])].join("\n")];
      }),
    );
  }

  watch({ changed, blind }: TrafficEvents): ChangeMonitor {
    return new Monitor({
      command: [...commandIn("tc", this.#netns), "monitor"],
      line(text) {
        const dev = /^(?:deleted |replaced |added )?(?:qdisc|filter) .*?\bdev (\S+) /i.exec(text)?.[1];
        if (dev !== undefined) changed(dev);
      },
      lost: blind,
    });
  }

  async #carryOut(links: readonly ShapedLink[]): Promise<readonly (Failure | undefined)[]> {
    const failures: (Failure | undefined)[] = links.map(() => undefined);
    const { before, shape, after } = programOf(links);
    for (const [tool, lines] of [
      ["ip", before],
      ["tc", shape],
      ["ip", after],
    ] as const) {
      const open = lines.filter(({ unit }) => failures[unit] === undefined);
      if (open.length === 0) continue;
      const { words } = await this.#run(
        tool,
        open.map(({ text }) => text),
      );
      for (const [at, said] of words) note(open[at], said, failures);
    }
    return failures;
  }

  /** Runs all lines, even after one fails. Returns tc's message for each that failed, by its place; rejects when none could be run. */
  async #run(
    tool: "ip" | "tc",
    lines: readonly string[],
  ): Promise<{ readonly stdout: string; readonly words: ReadonlyMap<number, string> }> {
    const [file = "", ...first] = commandIn(tool, this.#netns);
    const outcome = await execute(file, [...first, "-force", "-batch", "-"], `${lines.join("\n")}\n`);
    const words = new Map<number, string>();
    let said: string[] = [];
    for (const line of outcome.stderr.split("\n")) {
      const at = /^Command failed -:(\d+)$/.exec(line)?.[1];
      if (at === undefined) {
        if (line !== "" && !line.startsWith("Warning")) said.push(line);
        continue;
      }
      words.set(Number(at) - 1, said.join("; ") || "it failed without a word");
      said = [];
    }
    if (outcome.code !== 0 && (outcome.code === null || words.size === 0))
      throw failed(undefined, tool, outcome.stderr.trim() || `${tool} ended with ${outcome.code}`);
    return { stdout: outcome.stdout, words };
  }
}

function note(line: Line | undefined, words: string, failures: (Failure | undefined)[]): void {
  if (line === undefined || line.forgives?.test(words)) return;
  failures[line.unit] ??= { words };
}
