/**
 * What each engine asks of a driver, step by step, as recorded. A call is its method's short name (`recorder.ts`) with the letter of
 * its network, in the order of creation; "+": it brings published ports. O is EndpointOperInfo.
 */
import type { EngineKind } from "./kinds.js";

/** The calls of a step; where an engine takes its networks in any order, each of the ways. */
type Known = string | readonly string[];

/** 20.10 and 26.1 say the same. */
const UP_TO_26 = {
  "network create": "GetCapabilities CN(a)",
  "network create, another": "CN(b)",
  run: "CE(a+) Join(a+) P(a+) O(a) O(a)",
  "connect, its name sorts higher": "O(a) CE(b+) Join(b+) O(b) O(a) O(b)",
  "disconnect the gateway network": "R(a) L(a) P(b+) O(b) DE(a)",
  "connect, its name sorts lower": "O(b) CE(a+) Join(a+) R(b) P(a+) O(a) O(a) O(b)",
  restart: [
    "R(a) L(a) P(b+) DE(a) R(b) L(b) DE(b) CE(a+) Join(a+) P(a+) O(a) O(a) O(a) CE(b+) Join(b+) O(b) O(a) O(b)",
    "R(a) L(a) P(b+) DE(a) R(b) L(b) DE(b) CE(b+) Join(b+) P(b+) O(b) O(b) O(b) CE(a+) Join(a+) R(b) P(a+) O(a) O(a) O(b)",
  ],
  "rm -f, two networks": "R(a) L(a) P(b+) DE(a) R(b) L(b) DE(b)",
  "run without ports": "CE(a) Join(a) P(a) O(a) O(a)",
  "rm -f, one network": "R(a) L(a) DE(a)",
  "connect --gw-priority": "",
  "disconnect that one": "",
  "engine killed, started, one network": "",
  "start after that": "GetCapabilities CE(a+) Join(a+) P(a+) O(a) O(a)",
  "engine killed, started, two networks": "GetCapabilities P(b) DE(a) R(b) L(b) DE(b)",
  "internal network create": "CN(c)",
  "run --internal with -p": "CE(c) Join(c+) O(c) O(c)",
  "rm -f, --internal": "L(c) DE(c)",
  "network rm": "DN(c)",
} as const satisfies Readonly<Record<string, Known>>;

/** What an engine does that a driver hears of. */
export type Step = keyof typeof UP_TO_26;

export const CALLS: Readonly<Record<EngineKind["release"], Readonly<Record<Step, Known>>>> = {
  "20.10": UP_TO_26,
  "26.1": UP_TO_26,
  "28.5": {
    ...UP_TO_26,
    run: "CE(a+) Join(a+) P(a+) O(a)",
    "connect, its name sorts higher": "O(a) CE(b+) Join(b+) O(a) O(b)",
    "connect, its name sorts lower": "O(b) CE(a+) Join(a+) R(b) P(a+) O(a) O(b)",
    restart: [
      "R(a) L(a) P(b+) DE(a) R(b) L(b) DE(b) CE(a+) Join(a+) P(a+) O(a) O(a) CE(b+) Join(b+) O(a) O(b)",
      "R(a) L(a) P(b+) DE(a) R(b) L(b) DE(b) CE(b+) Join(b+) P(b+) O(b) O(b) CE(a+) Join(a+) R(b) P(a+) O(a) O(b)",
    ],
    "run without ports": "CE(a) Join(a) P(a) O(a)",
    "connect --gw-priority": "O(a) CE(b+) Join(b+) R(a) P(b+) O(b) O(a)",
    "disconnect that one": "R(b) L(b) P(a+) O(a) DE(b)",
    "start after that": "GetCapabilities CE(a+) Join(a+) P(a+) O(a)",
    "run --internal with -p": "CE(c) Join(c+) O(c)",
  },
};
