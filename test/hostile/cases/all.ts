/** Every case of classes A to F and H. */
import type { HostileCase } from "../case.js";
import { ESCAPE } from "./a-escape.js";
import { OBJECTS } from "./a-objects.js";
import { LEAK } from "./b-leak.js";
import { SHARED } from "./b-shared.js";
import { TAMPER } from "./c-tamper.js";
import { TIME } from "./d-time.js";
import { MEMORY } from "./e-memory.js";
import { FLOOD } from "./f-flood.js";
import { LIES } from "./h-lies.js";

export const ALL_CASES: readonly HostileCase[] = [
  ...ESCAPE,
  ...OBJECTS,
  ...LEAK,
  ...TAMPER,
  ...TIME,
  ...MEMORY,
  ...FLOOD,
  ...LIES,
  ...SHARED,
];
