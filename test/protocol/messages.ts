/** One honest message of each kind, for the tests of the reader. */
export const HONEST: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  hello: { kind: "hello", protocol: 1, runtime: "0.1.0", thread: 3 },
  started: { kind: "started" },
  failed: { kind: "failed", stage: "init", error: { name: "TypeError", message: "m" } },
  crashed: { kind: "crashed", origin: "uncaughtException", error: { name: "E", message: "m", file: "a.js", line: 3 } },
  dropped: { kind: "dropped", id: 4 },
  notice: { kind: "notice", name: "log.write", args: ["info", "x", { a: [1, null] }] },
  request: {
    kind: "request",
    message: { id: "a1", type: "APPLY", path: ["store.get"], argumentList: [{ type: "RAW", value: "k" }] },
  },
  reply: { kind: "reply", message: { id: 9, type: "RAW", value: { a: [1, "x", true, null] } } },
  thrown: {
    kind: "reply",
    message: {
      id: 9,
      type: "HANDLER",
      name: "throw",
      value: { name: "E", message: "m", code: "C", kind: "NotFound", stack: "s", file: "a.js", line: 1 },
    },
  },
};
