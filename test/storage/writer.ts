/**
 * A process that writes into several data folders until it is killed: each is a life of its own. Standard output says what it has done,
 * line by line: `begin FOLDER KEY N`, `kept FOLDER KEY N` (outlives the process), `flushed FOLDER KEY N`; FOLDER is a number. Every fifth
 * write takes the row away.
 */
import { writeSync } from "node:fs";
import { LogJournal } from "#dist/storage/journal/log-journal.js";
import { statePaths } from "#dist/storage/paths.js";
import { StateFile } from "#dist/storage/state-file.js";

const [seed = "0", boot = "", ...folders] = process.argv.slice(2);
const say = (text: string): void => void writeSync(1, `${text}\n`);
let n = Number(seed);

// Without the lock, which no other process asks for: it costs a process of its own.
const journals = await Promise.all(
  folders.map(async (folder) => new LogJournal(await StateFile.open(statePaths(folder), boot))),
);
say("ready");
await Promise.all(
  journals.flatMap((journal, life) =>
    Array.from({ length: 4 }, async (_, worker) => {
      for (let turn = 0; ; turn++) {
        const nid = `n${worker}-${turn % 4}`;
        const mine = ++n;
        const gone = mine % 5 === 0;
        const key = { type: "bridge", nid };
        const entry = gone
          ? undefined
          : ({ phase: "live", options: JSON.stringify({ n: mine, fill: "x".repeat(mine % 900) }) } as const);
        say(`begin ${life} ${nid} ${mine} ${gone}`);
        if (turn % 3 === 0) {
          journal.intend({ key, entry });
          journal.commit();
          say(`kept ${life} ${nid} ${mine}`);
          if (turn % 2 === 0) await new Promise((resolve) => setImmediate(resolve));
        } else {
          await journal.settle({ key, entry });
          say(`flushed ${life} ${nid} ${mine}`);
        }
      }
    }),
  ),
);
