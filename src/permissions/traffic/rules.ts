/**
 * The rules of traffic requests, each against an attack that would work without it (README.md here), checked in this order when a
 * request is about to be carried out, against a new snapshot of the namespace. `request.ts` enforces `fields` and `form` before.
 */

import { quote } from "../../common/quote.js";
import type { LinkView } from "../netlink/backend.js";
import { applyRules, type PermissionRule } from "../rule.js";
import { refused } from "./errors.js";
import { EFFECT_OF, type TrafficLimits } from "./grant.js";
import type { TrafficRow } from "./ledger.js";
import {
  leastBurst,
  readAmount,
  SHAPE_FIELDS,
  type ShapeField,
  type ShapeNumbers,
  type TrafficShape,
} from "./shape.js";

/** What a check may use. */
export interface Situation {
  /** Undefined: an operator. */
  readonly plugin: string | undefined;
  /** Undefined: those of the permission itself, for an operator. */
  readonly limits: TrafficLimits | undefined;
  readonly links: ReadonlyMap<string, LinkView>;
  /** Returns the plugin that owns a link, in the namespace or in a sandbox; undefined: the link is the machine's. */
  owner(link: string): string | undefined;
  /** Every plugin's shaped links. */
  readonly rows: readonly TrafficRow[];
  /** Why the kernel cannot do what a field says; undefined if it can. */
  readonly missing: ReadonlyMap<ShapeField, string>;
}

/** A shape for a link; without a link, whether it could be set. */
export interface AskedOf {
  readonly op: string;
  readonly link?: string | undefined;
  readonly shape: TrafficShape;
}

/** One rule. */
export type Rule = PermissionRule<[asked: AskedOf, numbers: ShapeNumbers, situation: Situation]>;

const given = (shape: TrafficShape): readonly ShapeField[] =>
  SHAPE_FIELDS.filter((field) => shape[field] !== undefined);

/** Every rule. */
export const RULES: readonly Rule[] = [
  { id: "fields", refuses: "fields that do not exist: handle, parent, duplicate, corrupt …", check: () => undefined },
  { id: "form", refuses: "a link or an amount that is not a string", check: () => undefined },
  {
    id: "own",
    refuses: "links of the machine or of another plugin, whatever their name",
    check({ link }, _, { plugin, owner, links }) {
      if (link === undefined) return undefined;
      const own = plugin === undefined ? owner(link) !== undefined : owner(link) === plugin;
      if (own) return undefined;
      return `${quote(link)} is ${links.has(link) ? "not a link this plugin made" : "no link of this plugin"}`;
    },
  },
  {
    id: "sandbox",
    refuses: "links in a sandbox; the end that is left on the machine is shaped instead",
    check({ link }, _, { links }) {
      return link === undefined || links.has(link) ? undefined : `${quote(link)} is in a sandbox, out of reach`;
    },
  },
  {
    id: "effect",
    refuses: "a rate, delay or loss that is not granted",
    check({ shape }, _, { limits }) {
      const odd = given(shape).find((field) => limits && !limits.effects.includes(EFFECT_OF[field]));
      return odd === undefined ? undefined : `${odd} is not granted; granted: ${limits?.effects.join(", ") || "none"}`;
    },
  },
  {
    id: "amount",
    refuses: "amounts that do not parse, or are outside what the permission allows",
    check({ shape }) {
      for (const field of given(shape)) {
        const value = readAmount(field, shape[field] ?? "");
        if (typeof value === "string") return value;
      }
      return undefined;
    },
  },
  {
    id: "rate",
    refuses: "a rate outside the granted range",
    check({ shape }, { rate }, { limits }) {
      if (rate === undefined || !limits) return undefined;
      const { minKbit, maxKbit } = limits;
      if (rate >= minKbit * 1_000 && rate <= maxKbit * 1_000) return undefined;
      return `rate ${quote(shape.rate)} is outside ${minKbit}kbit to ${maxKbit}kbit`;
    },
  },
  {
    id: "burst",
    refuses: "a burst without a rate, or too small for one packet of the link: nothing would pass",
    check({ shape, link }, { rate, burst }, { links }) {
      if (burst === undefined) return undefined;
      if (rate === undefined) return `burst ${quote(shape.burst)} needs a rate`;
      const mtu = link === undefined ? undefined : links.get(link)?.mtu;
      if (mtu === undefined || burst >= leastBurst(mtu)) return undefined;
      return `burst ${quote(shape.burst)} is below ${leastBurst(mtu)}b, a full packet of the link`;
    },
  },
  {
    id: "delay",
    refuses: "a delay above the granted one; a jitter without a delay, or above it",
    check({ shape }, { delay, jitter }, { limits }) {
      if (delay !== undefined && limits && delay > limits.maxDelayMs * 1_000)
        return `delay ${quote(shape.delay)} is above the ${limits.maxDelayMs}ms granted`;
      if (jitter === undefined || (delay !== undefined && jitter <= delay)) return undefined;
      return delay === undefined
        ? `jitter ${quote(shape.jitter)} needs a delay`
        : `jitter ${quote(shape.jitter)} is above the delay, ${quote(shape.delay)}`;
    },
  },
  {
    id: "loss",
    refuses: "a loss above the granted one",
    check({ shape }, { loss }, { limits }) {
      if (loss === undefined || !limits || loss <= limits.maxLossPercent) return undefined;
      return `loss ${quote(shape.loss)} is above the ${limits.maxLossPercent}% granted`;
    },
  },
  {
    id: "kernel",
    refuses: "what the machine's kernel or its tools cannot do",
    check({ shape }, _, { missing }) {
      const lacking = given(shape).find((field) => missing.has(field));
      return lacking === undefined ? undefined : `${lacking} cannot be had here: ${missing.get(lacking)}`;
    },
  },
  {
    id: "max",
    refuses: "more shaped links than granted",
    check({ link, shape }, _, { plugin, limits, rows }) {
      if (link === undefined || !limits || given(shape).length === 0) return undefined;
      const others = rows.filter((row) => row.plugin === plugin && row.name !== link).length;
      return others < limits.max
        ? undefined
        : `${others + 1} shaped links would be more than the ${limits.max} granted`;
    },
  },
];

/** Throws `ERR_TRAFFIC_REFUSED`, naming the first rule that refuses. */
export function checkRules(asked: AskedOf, situation: Situation): void {
  const numbers: { -readonly [F in ShapeField]?: number } = {};
  for (const field of given(asked.shape)) {
    const value = readAmount(field, asked.shape[field] ?? "");
    if (typeof value === "number") numbers[field] = value;
  }
  applyRules(RULES, [asked, numbers, situation], (rule, why) => refused(situation.plugin, asked.op, rule, why));
}
