/** The acceptance on Debian 13's engine: what depends on an engine's release. */
import { acceptance } from "./engine/acceptance.js";
import { ENGINES } from "./engine/kinds.js";

acceptance(ENGINES.trixie, "calls");
