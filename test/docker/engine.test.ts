/** The acceptance on the machine's own engine: Debian 12's, of 2022. */
import { acceptance } from "./engine/acceptance.js";
import { ENGINES } from "./engine/kinds.js";

acceptance(ENGINES.machine, { whole: true });
