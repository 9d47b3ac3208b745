/** Every package that is used, by what it is for. */
import type { Use } from "./use.js";
import { ADDRESSES } from "./uses/addresses.js";
import { ASYNC } from "./uses/async.js";
import { CRYPTO } from "./uses/crypto.js";
import { DATA } from "./uses/data.js";
import { DATES } from "./uses/dates.js";
import { ENCODINGS } from "./uses/encodings.js";
import { LOGGING } from "./uses/logging.js";
import { PARSERS } from "./uses/parsers.js";
import { STATE } from "./uses/state.js";
import { VALIDATION } from "./uses/validation.js";

export const USES: readonly Use[] = [
  ...ADDRESSES,
  ...VALIDATION,
  ...STATE,
  ...DATES,
  ...ENCODINGS,
  ...PARSERS,
  ...DATA,
  ...ASYNC,
  ...CRYPTO,
  ...LOGGING,
];
