/** Traffic control without a kernel: it remembers how links are shaped, and no packet moves. */
import type { ChangeMonitor } from "../../poll-scheduler.js";
import type { Failure, ShapedLink, TrafficBackend, TrafficEvents } from "../backend.js";
import { bucketOf, delayedPackets, SHAPE_FIELDS, type ShapeField } from "../shape.js";

export class ModelTraffic implements TrafficBackend {
  readonly kind = "model";
  readonly #shaped = new Map<string, string>();
  readonly #watchers = new Set<TrafficEvents>();

  async missing(): Promise<ReadonlyMap<ShapeField, string>> {
    return new Map();
  }

  async apply(links: readonly ShapedLink[]): Promise<readonly (Failure | undefined)[]> {
    for (const one of links) this.#put(one.link, textOf(one));
    return links.map(() => undefined);
  }

  async remove(links: readonly Pick<ShapedLink, "link">[]): Promise<void> {
    for (const { link } of links) this.#shaped.delete(link);
  }

  async listing(links: readonly Pick<ShapedLink, "link">[]): Promise<ReadonlyMap<string, string>> {
    return new Map(links.map(({ link }) => [link, this.#shaped.get(link) ?? ""]));
  }

  watch(events: TrafficEvents): ChangeMonitor {
    this.#watchers.add(events);
    return { alive: true, stop: async () => void this.#watchers.delete(events) };
  }

  /** Removes a link's shape, as another program would. */
  strip(link: string): void {
    this.#put(link, "");
  }

  #put(link: string, text: string): void {
    if (text === "") this.#shaped.delete(link);
    else this.#shaped.set(link, text);
    for (const { changed } of this.#watchers) changed(link);
  }
}

function textOf({ shape, mtu }: ShapedLink): string {
  if (SHAPE_FIELDS.every((field) => shape[field] === undefined)) return "";
  const bucket = bucketOf(shape, mtu);
  const { delay, jitter, loss } = shape;
  const late =
    delay === undefined && loss === undefined ? undefined : { delay, jitter, loss, packets: delayedPackets(shape) };
  return JSON.stringify({ bucket, late });
}
