/** The acceptance on the Podman of Debian's unstable release. */
import { acceptance } from "./acceptance.js";
import { PODMANS } from "./kinds.js";

acceptance(PODMANS.sid);
