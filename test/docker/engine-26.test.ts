/** The acceptance on Debian 13's engine. */
import { acceptance } from "./engine/acceptance.js";
import { ENGINES } from "./engine/kinds.js";

acceptance(ENGINES.trixie, { whole: false });
