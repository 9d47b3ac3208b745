import { MEMORY } from "./cases/e-memory.js";
import { runClass } from "./run-class.js";

runClass("hostile class E: memory", MEMORY);
