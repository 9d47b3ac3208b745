import { TAMPER } from "./cases/c-tamper.js";
import { runClass } from "./run-class.js";

runClass("hostile class C: tamper", TAMPER);
