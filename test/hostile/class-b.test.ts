import { LEAK } from "./cases/b-leak.js";
import { SHARED } from "./cases/b-shared.js";
import { runClass } from "./run-class.js";

runClass("hostile class B: leak", [...LEAK, ...SHARED]);
