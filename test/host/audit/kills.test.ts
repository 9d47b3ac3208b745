/** What is on record when the host terminates or delays a plugin: "killed", never "crashed", by the table of errors. */
import { ERROR_CODES, type ErrorCode } from "#dist/driverapi/error-codes.js";
import { Tally } from "#dist/host/calls/tally.js";
import { PluginReports } from "#dist/host/plugin/reports.js";
import { assert, suite } from "../../harness.js";
import { SILENT } from "../../kit/logger.js";

const test = suite("host/audit: terminated by the host");

interface Entry {
  readonly event: string;
  readonly code: string;
}

function reports(): { readonly told: PluginReports; readonly entries: Entry[] } {
  const entries: Entry[] = [];
  const context = {
    logger: SILENT,
    events: { emit() {} },
    audit: { write: (entry: Entry) => entries.push(entry) },
  };
  const counters = { calls: 0, errors: 0, timeouts: 0, restarts: 0, violations: 0 };
  return { told: new PluginReports("a", context as never, counters, new Tally(), () => undefined), entries };
}

test("every code that the host terminates a worker with is audited as killed, the CPU quota's too", () => {
  const killing = Object.entries(ERROR_CODES).flatMap(([code, row]) => ("killed" in row ? [code as ErrorCode] : []));
  assert.ok(killing.includes("ERR_PLUGIN_CPU"));
  const { told, entries } = reports();
  for (const code of killing) told.restarting({ code, reason: "a reason" });
  told.restarting({ code: "ERR_PLUGIN_CRASHED", reason: "a reason" });
  told.restarting({ code: "ERR_HOST_PROCESS", reason: "a reason" });
  assert.equal(
    entries.map(({ event, code }) => [event, code]),
    [...killing.map((code) => ["killed", code]), ["crashed", "ERR_PLUGIN_CRASHED"], ["aborted", "ERR_HOST_PROCESS"]],
  );
});

test("a plugin delayed for its requests is not one that used the processor", () => {
  const { told, entries } = reports();
  told.throttled("ERR_PLUGIN_HOST_TIME", "its requests", "0".repeat(64));
  assert.equal(
    entries.map(({ event, code }) => [event, code]),
    [["throttled", "ERR_PLUGIN_HOST_TIME"]],
  );
});

test.run();
