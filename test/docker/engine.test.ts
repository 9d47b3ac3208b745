/** The acceptance on the machine's own engine, Debian 12's: what plugins do to it, and it to them. */
import { acceptance } from "./engine/acceptance.js";
import { ENGINES } from "./engine/kinds.js";

acceptance(ENGINES.machine, "plugins");
