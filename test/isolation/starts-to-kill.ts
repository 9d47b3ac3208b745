/** A platform that raises one wall after the other, until it is killed or has raised a hundred. */
import { WalledChild } from "#dist/isolation/walled-child.js";
import { raiseWall } from "#dist/isolation/walls/raise.js";
import { acquireSpawner } from "#dist/spawner/spawner.js";

const AT_ONCE = 3;
const ALL = 100;

const wall = await raiseWall("bubblewrap", undefined);
// In every second round the platform starts them itself, as it does while there is no spawner.
if (process.argv[2] === "spawner") await acquireSpawner(() => {}).settled;
process.send?.("raised");
let started = 0;

function next(): void {
  if (started >= ALL) return;
  started++;
  const child = new WalledChild(wall.command(320));
  child.onEnd = next;
  setTimeout(() => child.kill(), 40);
}

for (let one = 0; one < AT_ONCE; one++) next();
