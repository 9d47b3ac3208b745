/** Runs one measure in its process and collects what it tells. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { type CurvePoint, type Figures, type Measure, ROUNDS, type Row, rowOf } from "./row.js";

const CHILD = fileURLToPath(new URL("./measure-child.js", import.meta.url));
/** A measure that takes that many times its seconds is stuck; on a busy machine it may well take some. */
const PATIENCE = 6;
const LEAST_SECONDS = 60;

export interface Found {
  readonly rows: readonly Row[];
  readonly points: readonly CurvePoint[];
}

/** Never rejects: what failed is told by the rows. */
export async function runMeasure(measure: Measure, smoke: boolean, rounds?: number): Promise<Found> {
  const lacks = measure.lacks?.();
  if (lacks !== undefined) return { rows: measure.rows.map((spec) => rowOf(spec, [], lacks)), points: [] };
  const found: Readonly<Record<string, Figures>>[] = [];
  const points: CurvePoint[] = [];
  const times = rounds ?? (smoke ? 1 : (measure.rounds ?? ROUNDS));
  const child = fork(CHILD, [measure.rows[0]?.id ?? "", smoke ? "smoke" : "full", String(times)], {
    execArgv: ["--expose-gc", "--enable-source-maps"],
  });
  const ms = Math.max(LEAST_SECONDS, measure.seconds * PATIENCE) * 1000;
  const late = setTimeout(() => child.kill("SIGKILL"), ms);
  child.on("message", (message) => {
    const { figures, point } = message as { figures?: Record<string, Figures>; point?: CurvePoint };
    if (figures) found.push(figures);
    if (point) points.push(point);
  });
  const [code, signal] = (await once(child, "exit")) as [number | null, string | null];
  clearTimeout(late);
  const ended = code === 0 ? "not measured here" : `its process ended with ${code ?? signal}`;
  const rows = measure.rows.map((spec) => {
    const mine = found.flatMap((round) => (round[spec.id] ? [round[spec.id] as Figures] : []));
    return rowOf(spec, mine, mine.length === 0 || code !== 0 ? ended : undefined);
  });
  return { rows, points };
}
