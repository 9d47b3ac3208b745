/** Carries out shapes in one network namespace: the kernel's traffic control, or a model. Which are allowed is decided before. */
import type { ChangeMonitor } from "../poll-scheduler.js";
import type { ShapeField, ShapeNumbers } from "./shape.js";

/** A link as it is to be shaped. */
export interface ShapedLink {
  readonly link: string;
  readonly mtu: number;
  /** Without a field: nothing is shaped any more. */
  readonly shape: ShapeNumbers;
  /** The link that limits what comes in by `link`: made with a rate, and removed without one. */
  readonly ifb: string;
  /** Its alias. */
  readonly mark: string;
}

/** Why a link could not be shaped, in the words of tc. */
export interface Failure {
  readonly words: string;
}

/** Notifications of changes to queueing disciplines and filters, by any program. */
export interface TrafficEvents {
  changed(link: string): void;
  /** Notifications have stopped; the monitor tries to get them back. `why`: in words. */
  blind(why: string): void;
}

/** One network namespace to work in. Every method rejects with `ERR_TRAFFIC_FAILED` when tc or the namespace fails as a whole. */
export interface TrafficBackend {
  readonly kind: "kernel" | "model";
  /** Returns, of these fields, those that cannot be had, and why. */
  missing(fields: readonly ShapeField[]): Promise<ReadonlyMap<ShapeField, string>>;
  /** Shapes links, each wholly or reported as failed; a link that failed is not shaped. */
  apply(links: readonly ShapedLink[]): Promise<readonly (Failure | undefined)[]>;
  /** Removes what was made for links that no longer exist; ignores what is gone. */
  remove(links: readonly Pick<ShapedLink, "link" | "ifb">[]): Promise<void>;
  /** Describes how each of these links is shaped. The text is the same until that is changed. */
  listing(links: readonly Pick<ShapedLink, "link" | "ifb">[]): Promise<ReadonlyMap<string, string>>;
  /** Notifies changes until it is stopped. */
  watch(events: TrafficEvents): ChangeMonitor;
}
