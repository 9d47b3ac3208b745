/** The acceptance on the machine's own engine, Debian 12's, as it comes: everything that stood in the way of its users. */
import { acceptance } from "./engine/acceptance.js";
import { ENGINES } from "./engine/kinds.js";

acceptance(ENGINES.machine, "faults");
