/** Runs one attack of an owned realm under "thread", in this process, which may not outlive it. Usage: node run-owned.js OPTIONS */
import { ownedHost } from "./owned-host.js";

const one = await ownedHost("thread");
await one.mallory.createNetwork("attack", JSON.parse(process.argv[2] ?? "{}"));
