/**
 * Compares how links are shaped with what was programmed, and restores what other programs have changed. It looks like the firewall's
 * `restore-rules.ts`, which also restores what is outside its tables and is told which program changed them.
 */
import type { OperatorLog } from "../../common/logger.js";
import { messageOf } from "../../common/text.js";
import { BackOff } from "../back-off.js";
import { announce, type ExternalChange } from "../external-changes.js";
import { WATCH } from "../limits.js";
import { PollScheduler } from "../poll-scheduler.js";
import { ifbOf, type TrafficRow } from "./ledger.js";
import { type Shapes, shapedLink } from "./run-batch.js";

export interface ShapeRestorerOptions {
  readonly shapes: Shapes;
  readonly logger: OperatorLog;
  report(change: ExternalChange): void;
  /** Calls `restore` between two batches. Never rejects. */
  poll(): Promise<void>;
}

export class ShapeRestorer {
  readonly #options: ShapeRestorerOptions;
  readonly #scheduler: PollScheduler;
  readonly #backOff = new BackOff();
  /** How each link was shaped right after it was programmed. */
  #known: ReadonlyMap<string, string> = new Map();
  /** Those links, and the ones that limit what comes in by them. */
  #watched: ReadonlySet<string> = new Set();

  constructor(options: ShapeRestorerOptions) {
    this.#options = options;
    const { shapes, logger, poll } = options;
    this.#scheduler = new PollScheduler({
      what: "traffic",
      logger,
      subscribe: (blind) =>
        shapes.backend.watch({
          changed: (link) => {
            if (this.#watched.has(link)) this.#scheduler.pollIn(WATCH.gatherMs);
          },
          blind,
        }),
      poll,
    });
  }

  /** Remembers how the links are shaped now, and watches them if there are any. Call it after every change of ours. */
  async remember(): Promise<void> {
    const { ledger } = this.#options.shapes;
    this.#known = await this.#look();
    this.#watched = new Set([...this.#known.keys()].flatMap((name) => [name, ifbOf(ledger.id, name)]));
    if (this.#known.size > 0) this.#scheduler.start();
  }

  /** Shapes again what has changed since it was remembered. Rejects when tc fails as a whole. */
  async restore(): Promise<void> {
    const now = await this.#look();
    const odd = [...this.#known].filter(([name, text]) => now.has(name) && now.get(name) !== text);
    if (odd.length === 0) return;
    const { shapes } = this.#options;
    const { links } = await shapes.netlink.backend.look();
    const rows = odd.flatMap(([name]) => {
      const [row, link] = [shapes.rows.get(name), links.get(name)];
      return row && link?.ifindex === row.ifindex ? [{ row, link }] : [];
    });
    if (rows.length > 0 && this.#backOff.wait > 0) {
      this.#scheduler.pollIn(this.#backOff.wait);
      return;
    }
    if (rows.length > 0) this.#backOff.done();
    const failures = await this.#again(rows.map(({ row, link }) => shapedLink(row, link, shapes.ledger.id)));
    for (const [at, { row }] of rows.entries()) this.#tell(row, failures[at]);
    await this.remember();
  }

  stop(): Promise<void> {
    return this.#scheduler.stop();
  }

  /** Shapes links again. Removes what is there first: another program's discipline may not be replaceable. */
  async #again(links: readonly ReturnType<typeof shapedLink>[]): Promise<readonly (string | undefined)[]> {
    const { backend } = this.#options.shapes;
    await backend.apply(links.map((one) => ({ ...one, shape: {} })));
    return (await backend.apply(links)).map((failure) => failure?.words);
  }

  #tell({ name, plugin }: TrafficRow, words: string | undefined): void {
    const { logger, report } = this.#options;
    const what = `the shape of link "${name}" of plugin "${plugin}" had been changed by another program`;
    const slow = this.#backOff.slow ? "; it happens again and again, so the next repairs are delayed" : "";
    if (words !== undefined) logger.error({ plugin }, `traffic: ${what}, and could not be restored: ${words}`);
    else
      announce(
        "traffic",
        { event: "traffic-restored", plugin, detail: `${what}, and was restored${slow}` },
        { logger, report },
      );
  }

  async #look(): Promise<ReadonlyMap<string, string>> {
    const { backend, rows, ledger } = this.#options.shapes;
    if (rows.size === 0) return new Map();
    try {
      return await backend.listing([...rows.keys()].map((link) => ({ link, ifb: ifbOf(ledger.id, link) })));
    } catch (error) {
      this.#options.logger.warn({ err: error }, `traffic: shapes could not be compared: ${messageOf(error)}`);
      return this.#known;
    }
  }
}
