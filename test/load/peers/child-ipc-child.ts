import { ANSWER } from "./peer.js";

process.on("message", ({ id }: { id: number }) => process.send?.({ id, answer: ANSWER }));
process.send?.("ready");
