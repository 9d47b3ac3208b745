/** Ignores the end of its link, as an attacker would; ends with its wall, on a byte from the link, or after its time. */
import { Socket } from "node:net";
import { DOCTOR } from "../limits.js";

const stream = new Socket({ fd: 3, readable: true, writable: true, allowHalfOpen: true });
stream.on("error", () => {});
stream.on("data", () => process.exit(0));
stream.write("here\n");
setTimeout(() => process.exit(0), DOCTOR.lingerMs);
