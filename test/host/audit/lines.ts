/** Reads audit logs, and writes one for a test. */
import { readFile } from "node:fs/promises";
import { type AuditLimits, AuditLog } from "#dist/host/audit/audit.js";
import type { Logger } from "#dist/index.js";
import { assert, type TestContext } from "../../harness.js";

/** One line of an audit log. */
export interface Line {
  readonly time: string;
  readonly plugin: string | null;
  readonly sha256: string | null;
  readonly event: string;
  readonly code: string | null;
  readonly detail: string;
}

const KEYS = ["time", "plugin", "sha256", "event", "code", "detail"];

/** Every line of a file, each of which must be whole. */
export async function linesOf(path: string): Promise<readonly Line[]> {
  const text = await readFile(path, "utf8");
  assert.ok(text === "" || text.endsWith("\n"), `half a line at the end of ${path}`);
  return text
    .split("\n")
    .slice(0, -1)
    .map((line) => {
      const parsed = JSON.parse(line) as Line;
      assert.equal(Object.keys(parsed), KEYS);
      assert.is(new Date(parsed.time).toISOString(), parsed.time);
      return parsed;
    });
}

/** The file's details. */
export async function details(path: string): Promise<readonly string[]> {
  return (await linesOf(path)).map(({ detail }) => detail);
}

/** An audit log that is closed after the test, and what it has said in the log. */
export function audit(t: TestContext, path: string, limits?: AuditLimits): { log: AuditLog; said: string[] } {
  const said: string[] = [];
  const say = (_fields: object, message: string): void => void said.push(message);
  const logger: Logger = { debug: say, info: say, warn: say, error: say };
  const log = new AuditLog(path, logger, limits);
  t.cleanup(() => log.close());
  return { log, said };
}
