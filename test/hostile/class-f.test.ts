import { FLOOD } from "./cases/f-flood.js";
import { runClass } from "./run-class.js";

runClass("hostile class F: flood", FLOOD);
