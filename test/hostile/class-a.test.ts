import { ESCAPE } from "./cases/a-escape.js";
import { OBJECTS } from "./cases/a-objects.js";
import { runClass } from "./run-class.js";

runClass("hostile class A: escape", [...ESCAPE, ...OBJECTS]);
