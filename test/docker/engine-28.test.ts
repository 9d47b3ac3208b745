/** The acceptance on the engine of Debian's unstable release. */
import { acceptance } from "./engine/acceptance.js";
import { ENGINES } from "./engine/kinds.js";

acceptance(ENGINES.sid, { whole: false });
