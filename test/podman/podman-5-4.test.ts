/** The acceptance on Debian 13's Podman. */
import { acceptance } from "./acceptance.js";
import { PODMANS } from "./kinds.js";

acceptance(PODMANS.trixie);
