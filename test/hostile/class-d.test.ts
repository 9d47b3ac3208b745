import { TIME } from "./cases/d-time.js";
import { runClass } from "./run-class.js";

runClass("hostile class D: time", TIME);
