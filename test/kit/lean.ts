/**
 * For `node --import`: a `bulkhead` process of a test that starts nothing ahead, and has its plugins bundled by the run's bundle server.
 * For tests of the command line, each of which starts several daemons; those of examples, pages and engines start them as users do.
 */
import "./bundles.js";
import { HostProcessPool } from "#dist/isolation/host-process-pool.js";

HostProcessPool.prototype.keepSpare = () => {};

/** The options of `node` that load this file. */
export const LEAN: readonly string[] = ["--import", import.meta.url];
