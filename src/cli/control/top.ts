/** `bulkhead top`: the plugins of a running host, live, in an order that keys choose. On a pipe it measures once. */
import type { ControlClient } from "../../control/client.js";
import { type Cell, cell, columns } from "../../control/table/columns.js";
import { memory, milliseconds } from "../../control/table/figures.js";
import { stateColour } from "../../control/table/plugins.js";
import type { MethodCalls, PluginRow } from "../../control/types.js";
import { DriverError } from "../../driverapi/errors.js";
import type { Terminal } from "../output.js";
import { type MethodShare, methodShares, sharesText } from "./method-shares.js";
import type { Printer } from "./output.js";

/** A plugin over the last interval. */
interface Usage {
  readonly row: PluginRow;
  /** Share of one processor, in percent. */
  readonly cpu: number;
  /** Calls per second. */
  readonly rate: number;
  /** Its methods, the one with most of the calls' time first. */
  readonly methods: readonly MethodShare[];
}

/** The orders, by key: each puts the greatest first, names apart. */
const SORTS: Readonly<Record<string, { readonly name: string; readonly by: (usage: Usage) => number | string }>> = {
  c: { name: "CPU", by: ({ cpu }) => -cpu },
  m: { name: "memory", by: ({ row }) => -(row.memoryMb ?? 0) },
  r: { name: "calls/s", by: ({ rate }) => -rate },
  l: { name: "latency p99", by: ({ row }) => -row.latency.p99 },
  e: { name: "errors", by: ({ row }) => -row.errors },
  n: { name: "name", by: ({ row }) => row.id },
};

export interface TopOptions {
  /** Seconds between two readings. */
  readonly seconds: string;
  /** The key of an order. */
  readonly sort: string;
  /** Absent if the output is not a terminal. */
  readonly terminal: Terminal | undefined;
}

/** Runs until `q` or Ctrl-C. Rejects with `ERR_NO_DAEMON` when the host has ended, and `ERR_USAGE`. */
export async function top(client: ControlClient, printer: Printer, options: TopOptions): Promise<void> {
  const { seconds, sort, terminal } = options;
  const ms = Number(seconds) * 1000;
  if (!(ms >= 100 && ms <= 60_000)) throw new DriverError("ERR_USAGE", "--seconds is a number from 0.1 to 60");
  if (!Object.hasOwn(SORTS, sort))
    throw new DriverError("ERR_USAGE", `--sort is one of ${Object.keys(SORTS).join(", ")}`);
  if (terminal === undefined || printer.json) return once(client, printer, ms, sort);
  await live(client, printer, { terminal, ms, sort });
}

async function once(client: ControlClient, printer: Printer, ms: number, sort: string): Promise<void> {
  const before = await read(client);
  await new Promise((resolve) => setTimeout(resolve, ms));
  const usages = sorted(usagesOf(before, await read(client)), sort);
  printer.print(
    usages.map(({ row, cpu, rate, methods }) => ({ ...row, cpuPercent: cpu, callsPerSecond: rate, methods })),
    table(printer, usages),
  );
}

/** Alternate screen, no cursor, no wrapping; and back. */
const ENTER = "\u001b[?1049h\u001b[?25l\u001b[?7l";
const LEAVE = "\u001b[?7h\u001b[?25h\u001b[?1049l";

async function live(
  client: ControlClient,
  printer: Printer,
  { terminal, ms, sort: first }: { readonly terminal: Terminal; readonly ms: number; readonly sort: string },
): Promise<void> {
  let sort = first;
  let ended = false;
  let wake = (): void => {};
  let before = await read(client);
  let now = before;
  const draw = (): void => {
    const head = `bulkhead top: by ${SORTS[sort]?.name}; keys: ${keys()}, q ends`;
    const lines = [head, "", ...table(printer, sorted(usagesOf(before, now), sort)).split("\n")];
    terminal.write(
      `\u001b[H${lines
        .slice(0, terminal.rows() - 1)
        .map((line) => `${line}\u001b[K`)
        .join("\r\n")}\u001b[J`,
    );
  };
  const unlisten = terminal.keys((key) => {
    if (key === "q" || key === "\u0003") {
      ended = true;
      wake();
    } else if (Object.hasOwn(SORTS, key)) {
      sort = key;
      draw();
    }
  });
  terminal.write(ENTER);
  try {
    while (!ended) {
      draw();
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      if (ended) break;
      const next = await read(client);
      before = now;
      now = next;
    }
  } finally {
    unlisten();
    terminal.write(LEAVE);
  }
}

function keys(): string {
  return Object.entries(SORTS)
    .map(([key, { name }]) => `${key} ${name}`)
    .join(", ");
}

interface Reading {
  readonly at: number;
  readonly plugins: readonly PluginRow[];
  readonly methods: readonly MethodCalls[];
}

async function read(client: ControlClient): Promise<Reading> {
  const { plugins } = await client.ask("plugins");
  const { methods } = await client.ask("methods");
  return { at: performance.now(), plugins, methods };
}

function usagesOf(before: Reading, now: Reading): readonly Usage[] {
  const ms = now.at - before.at;
  const earlier = new Map(before.plugins.map((row) => [row.id, row]));
  const shares = methodShares(before.methods, now.methods);
  return now.plugins.map((row) => {
    const last = earlier.get(row.id);
    const methods = shares.get(row.id) ?? [];
    if (last === undefined || ms <= 0) return { row, cpu: 0, rate: 0, methods };
    const rate = ((row.calls - last.calls) / ms) * 1000;
    return { row, cpu: Math.max(0, ((row.cpuMs - last.cpuMs) / ms) * 100), rate, methods };
  });
}

function sorted(usages: readonly Usage[], sort: string): readonly Usage[] {
  const by = SORTS[sort]?.by ?? (() => 0);
  const order = (a: string | number, b: string | number): number => (a < b ? -1 : a > b ? 1 : 0);
  return [...usages].sort((a, b) => order(by(a), by(b)) || order(a.row.id, b.row.id));
}

function table(printer: Printer, usages: readonly Usage[]): string {
  const headings = ["ID", "STATE", "CPU %", "MEMORY", "CALLS/S", "OPEN", "P50", "P99", "ERRORS", "RESTARTS", "TIME IN"];
  return columns(
    printer.coloured,
    headings,
    usages.map(({ row, cpu, rate, methods }): readonly Cell[] => {
      const took = (ms: number): string => (row.latency.count === 0 ? "-" : milliseconds(ms));
      return [
        cell(row.id),
        cell(row.state, stateColour(row.state)),
        cell(cpu.toFixed(1)),
        cell(memory(row.memoryMb)),
        cell(rate.toFixed(rate < 10 ? 1 : 0)),
        cell(row.inFlight),
        cell(took(row.latency.p50)),
        cell(took(row.latency.p99)),
        cell(row.errors, row.errors > 0 ? "yellow" : "plain"),
        cell(row.restarts, row.restarts > 0 ? "yellow" : "plain"),
        cell(sharesText(methods)),
      ];
    }),
  );
}
