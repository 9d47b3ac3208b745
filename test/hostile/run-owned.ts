/** Runs one attack of an owned realm under "thread", in this process, which may not outlive it. Usage: node run-owned.js OPTIONS */
import { plugin } from "../kit/plugins.js";
import { ownedHost } from "./owned-host.js";

// Filling V8's heap takes many seconds on a busy machine: no deadline of the host's ends the worker before.
const one = await ownedHost("thread", plugin("mallory"), { timeouts: { default: 100_000 } });
await one.mallory.createNetwork("attack", JSON.parse(process.argv[2] ?? "{}"));
