import { LIES } from "./cases/h-lies.js";
import { runClass } from "./run-class.js";

runClass("hostile class H: lies", LIES);
