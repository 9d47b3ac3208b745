/** What the hostile plugins of a storm do: each attack a body of code, named by the endpoint or network it is called for. */
import { plugin } from "../../kit/plugins.js";

/** Class D, time. */
const TIME = {
  spin: "for (;;);",
  regex: `/^(?:a+)+$/.exec("a".repeat(40) + "b");`,
  never: "await new Promise(() => {});",
  native: `const n = 2 ** 18; "a".repeat(n).indexOf("a".repeat(n / 4) + "b" + "a".repeat(n / 4));`,
  microtasks: "const again = () => { queueMicrotask(again); }; again(); await new Promise(() => {});",
  timers: `try { for (;;) setInterval(() => { for (let i = 0; i < 1e5; i++); try { setTimeout(() => {}, 0); } catch {} }, 0); } catch {}`,
  finally: "try { await null; throw 1; } catch {} finally { for (;;); }",
  cancel: `ctx?.signal.addEventListener("abort", () => { for (;;); }); await new Promise(() => {});`,
  crash: `setTimeout(() => { throw new Error("again"); }, 0); await new Promise(() => {});`,
  stray: `Promise.reject(new Error("stray")); await new Promise(() => {});`,
} as const;

/** Class E, memory. */
const MEMORY = {
  objects: "let last; for (;;) last = { last };",
  fill: "new Array(5e7).fill(0);",
  map: "const all = new Map(); for (let i = 0; ; i++) all.set(i, i);",
  push: "const all = []; for (;;) all.push(1);",
  buffers: "const all = []; for (;;) { const one = new Uint8Array(16 * 1048576); one.fill(1); all.push(one); }",
  doubling: `let text = "x"; for (;;) text += text;`,
  strings: `const all = []; for (let i = 0; ; i++) { const text = "x".repeat(1 << 20) + i; text.charCodeAt(5); all.push(text); }`,
  search: `const text = "x".repeat(2 ** 28); for (let i = 0; i < 100; i++) text.indexOf("y");`,
  recursion: "const down = () => down() + 1; return down();",
  proxies: "let it = {}; for (let i = 0; i < 1e5; i++) it = new Proxy(it, {}); return it;",
} as const;

/** Class F, flood. */
const FLOOD = {
  logs: `const long = "y".repeat(100000); for (let i = 0; i < 20000; i++) { console.log(i); console.error(long, i); } setInterval(() => { for (let i = 0; i < 500; i++) console.warn("again", i); }, 1);`,
  registrations: `for (let i = 0; i < 5000; i++) callback.registerDriver("type" + i, {}, { scope: "local" }).catch(() => {}); await new Promise(() => {});`,
  requests: `const text = "z".repeat(60000); const again = () => { powers.store.set("k", text).then(again, () => {}); }; for (let i = 0; i < 64; i++) again(); for (let i = 0; i < 1e4; i++) powers.store.get("k" + i).catch(() => {});`,
  dropped: `for (let i = 0; i < 6000; i++) powers.store.get("k" + i); await new Promise(() => {});`,
  large: `return { a: "x".repeat(1e8) };`,
  long: `return { a: Array(1e6).fill(1) };`,
  thrown: `const long = "x".repeat(1e8); throw Object.assign(new Error(long), { name: long, code: long });`,
} as const;

const ATTACKS: Readonly<Record<string, string>> = { ...TIME, ...MEMORY, ...FLOOD };

/** Every attack by name. */
export const NAMES: readonly string[] = Object.keys(ATTACKS);

/** Harmless until it is asked about the endpoint, or for a network, of an attack's name. */
export function hostilePlugin(name: string): string {
  const attacks = Object.entries(ATTACKS).map(([attack, code]) => `${attack}: async (ctx) => { ${code} }`);
  return plugin(name, {
    start: `const attacks = {
    ${attacks.join(",\n    ")}
  };`,
    methods: `createNetwork: (nid, options, ctx) => attacks[nid.split("-")[0]]?.(ctx),
    endpointOperInfo: async (nid, eid) => (await attacks[eid]?.()) ?? {},`,
  });
}

/** Attacks while it is loaded; which way, chance decides. It is loaded again and again. */
export const AT_LOAD = `
const ways = [
  () => { for (;;); },
  () => new Array(5e7).fill(0),
  () => { throw new Error("at load"); },
  () => { const all = new Map(); for (let i = 0; ; i++) all.set(i, i); },
  () => {},
];
ways[Math.floor(Math.random() * ways.length)]();
export const init = () => new Promise(() => {});
`;
