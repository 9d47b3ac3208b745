/**
 * A process that writes into a data folder until it is killed. Standard output says what it has done, line by line:
 * `begin KEY N`, `kept KEY N` (outlives the process), `flushed KEY N`. Every fifth write takes the row away.
 */
import { writeSync } from "node:fs";
import { openDataFolder } from "#dist/storage/folder.js";
import { LogJournal } from "#dist/storage/journal/log-journal.js";

const [folder = "", seed = "0"] = process.argv.slice(2);
const opened = await openDataFolder(folder);
const journal = new LogJournal(opened.state);
const say = (text: string): void => void writeSync(1, `${text}\n`);
let n = Number(seed);

say("ready");
await Promise.all(
  Array.from({ length: 16 }, async (_, worker) => {
    for (let turn = 0; ; turn++) {
      const nid = `n${worker}-${turn % 4}`;
      const mine = ++n;
      const gone = mine % 5 === 0;
      const key = { type: "bridge", nid };
      const entry = gone
        ? undefined
        : ({ phase: "live", options: JSON.stringify({ n: mine, fill: "x".repeat(mine % 900) }) } as const);
      say(`begin ${nid} ${mine} ${gone}`);
      if (turn % 3 === 0) {
        journal.intend({ key, entry });
        journal.commit();
        say(`kept ${nid} ${mine}`);
        if (turn % 2 === 0) await new Promise((resolve) => setImmediate(resolve));
      } else {
        await journal.settle({ key, entry });
        say(`flushed ${nid} ${mine}`);
      }
    }
  }),
);
