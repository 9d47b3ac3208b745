/** A netlink request that has passed the rules: what is carried out, recorded and replied. */
import type { Json } from "../../driverapi/json.js";
import type { LinkView, Unit } from "./backend.js";
import type { LedgerChange, LedgerRow } from "./ledger.js";

export interface Ready {
  readonly unit: Unit;
  /** Recorded before, so that a crash leaves no unknown link. */
  readonly intents: readonly LedgerRow[];
  /** Recorded if it fails. */
  readonly withdrawn: readonly LedgerChange[];
  answer(seen: ReadonlyMap<string, LinkView>): { readonly rows: readonly LedgerChange[]; readonly value: Json };
}
