/** Stays when its link ends, as an attacker would: only its wall ends it, or a byte on the link, or its own time. */
import { Socket } from "node:net";
import { DOCTOR } from "../limits.js";

const stream = new Socket({ fd: 3, readable: true, writable: true, allowHalfOpen: true });
stream.on("error", () => {});
stream.on("data", () => process.exit(0));
stream.write("here\n");
setTimeout(() => process.exit(0), DOCTOR.lingerMs);
