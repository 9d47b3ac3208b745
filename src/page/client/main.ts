/** The page: shows a running host, and keeps showing it across lost connections and restarts of the host. */
import type { CallInFlight, Network, PluginRow, Port } from "../../control/types.js";
import type { HistoryReply } from "../history.js";
import { ask, follow, TokenRefused } from "./api.js";
import { byId, setText, table } from "./dom.js";
import { showEvent, showMissed } from "./events.js";
import { keepToken } from "./key.js";
import { PluginCard } from "./plugin-card.js";

/** Intervals, in milliseconds. */
const REFRESH_MS = 2_000;
const HISTORY_MS = 5_000;
const RETRY_MS = [500, 1_000, 2_000, 5_000];

const cards = new Map<string, PluginCard>();
let session = new AbortController();
let lastEvent: string | undefined;
let refreshWaits = false;

async function refresh(): Promise<void> {
  const [{ plugins }, { networks }, { calls }, { ports }] = await Promise.all([
    ask<{ plugins: readonly PluginRow[] }>("/v1/plugins"),
    ask<{ networks: readonly Network[] }>("/v1/networks"),
    ask<{ calls: readonly CallInFlight[] }>("/v1/calls"),
    ask<{ ports: readonly Port[] }>("/v1/ports"),
  ]);
  showPlugins(plugins);
  const callRows = calls.map(({ plugin, type, method, network, ms }) => [
    ...[plugin, `${type}.${method}`, network ?? "–"],
    `${Math.round(ms)} ms`,
  ]);
  byId("calls").replaceChildren(table(["Plugin", "Call", "Network", "Duration"], callRows, "None."));
  const networkRows = networks.map(({ id, type, plugin, phase, endpoints, failed }) => [
    ...[id.slice(0, 12), type, plugin, failed ? `${phase}: ${failed.code}` : phase, String(endpoints)],
  ]);
  byId("networks").replaceChildren(table(["Network", "Type", "Plugin", "State", "Endpoints"], networkRows, "None."));
  const portRows = ports.map(({ plugin, protocol, hostIP, hostPort, ip, port }) => [
    ...[`${hostIP ?? "all addresses"}:${hostPort}/${protocol}`, `${ip}:${port}`, plugin],
  ]);
  byId("ports").replaceChildren(table(["Host address", "Endpoint address", "Plugin"], portRows, "None."));
}

function showPlugins(rows: readonly PluginRow[]): void {
  const list = byId("plugins");
  for (const row of rows) {
    let card = cards.get(row.id);
    if (!card) {
      card = new PluginCard(row.id, () => refreshSoon());
      cards.set(row.id, card);
      list.append(card.element);
    }
    card.show(row);
  }
  const ids = new Set(rows.map(({ id }) => id));
  for (const [id, card] of cards) {
    if (ids.has(id)) continue;
    card.element.remove();
    cards.delete(id);
  }
  const running = rows.filter(({ state }) => state === "running").length;
  setText(byId("summary"), `${running} of ${rows.length} running`);
  filter();
}

function filter(): void {
  const wanted = (byId("filter") as HTMLInputElement).value.toLowerCase();
  for (const [id, { element }] of cards) element.hidden = !id.toLowerCase().includes(wanted);
}

async function drawHistory(): Promise<void> {
  const { times, plugins } = await ask<HistoryReply>("/history");
  for (const [id, series] of Object.entries(plugins)) cards.get(id)?.chart(times, series);
}

/** Refreshes after an event; several events share one refresh. */
function refreshSoon(): void {
  if (refreshWaits) return;
  refreshWaits = true;
  setTimeout(() => {
    refreshWaits = false;
    refresh().catch(() => {});
  }, 150);
}

/** Shows the host until `signal` aborts or the connection is lost. */
async function show(signal: AbortSignal): Promise<void> {
  await refresh();
  await drawHistory();
  byId("content").hidden = false;
  byId("token").hidden = true;
  setText(byId("connection"), "Connected");
  const query = `kind=event&${lastEvent === undefined ? "last=100" : `since=${encodeURIComponent(lastEvent)}`}`;
  const failed = new AbortController();
  const timers = [
    setInterval(() => visible(refresh, failed), REFRESH_MS),
    setInterval(() => visible(drawHistory, failed), HISTORY_MS),
  ];
  try {
    await follow(
      query,
      AbortSignal.any([signal, failed.signal]),
      (event) => {
        lastEvent = event.id;
        showEvent(event);
        refreshSoon();
      },
      showMissed,
    );
  } finally {
    for (const timer of timers) clearInterval(timer);
  }
}

function visible(act: () => Promise<void>, failed: AbortController): void {
  if (document.visibilityState === "visible") act().catch(() => failed.abort());
}

async function run(signal: AbortSignal): Promise<void> {
  for (let attempt = 0; !signal.aborted; attempt++) {
    const began = performance.now();
    try {
      await show(signal);
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof TokenRefused) return askToken(error.missing);
    }
    if (performance.now() - began > 10_000) attempt = 0;
    setText(byId("connection"), "Connection lost; trying again");
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS[Math.min(attempt, RETRY_MS.length - 1)]));
  }
}

function askToken(missing: boolean): void {
  setText(byId("connection"), missing ? "Enter the token" : "The token was refused");
  byId("content").hidden = true;
  byId("token").hidden = false;
  byId("token-value").focus();
}

function start(): void {
  session.abort();
  session = new AbortController();
  void run(session.signal);
}

byId("token").addEventListener("submit", (event) => {
  event.preventDefault();
  void keepToken((byId("token-value") as HTMLInputElement).value.trim()).then(start);
});
byId("filter").addEventListener("input", filter);
addEventListener("pagehide", () => session.abort());
addEventListener("pageshow", (event) => {
  if (event.persisted) start();
});
addEventListener("hashchange", () => {
  if (location.hash !== "") start();
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => void drawHistory().catch(() => {}));
start();
