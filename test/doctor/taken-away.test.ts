/** Walls taken away: the doctor says which checks are down, what went through, and what to do. */
import { readFileSync } from "node:fs";
import { CHECKS } from "#dist/doctor/checks.js";
import { type DoctorSeams, examine } from "#dist/doctor/doctor.js";
import { LONG } from "../amounts.js";
import { assert, suite } from "../harness.js";
import { noBubblewrap } from "../isolation/walled.js";
import {
  added,
  type Change,
  lingers,
  noFilter,
  noFlags,
  nothingStands,
  replaced,
  sameAccount,
  shell,
  taking,
  writableRuntime,
} from "./taken-away.js";

const test = suite("doctor: each wall taken away");
const noRoot = process.getuid?.() === 0 ? undefined : "only root can start what runs as root";

interface Case {
  readonly wall: string;
  /** What is changed of the wall's command. */
  readonly changes?: readonly Change[];
  readonly seams?: DoctorSeams;
  /** The checks that are then down: these, and no other. */
  readonly down: readonly string[];
  /** With another wall away it would show more, or use up the machine's memory. */
  readonly alone?: true;
  readonly needs?: string | undefined;
}

const CASES: readonly Case[] = [
  {
    wall: "the machine's files are mounted",
    changes: [added("--proc", "--ro-bind", "/etc", "/etc")],
    down: ["files.host"],
  },
  {
    wall: "the runtime's folder is mounted writable",
    changes: [writableRuntime, sameAccount],
    down: ["account.user", "files.mounts", "files.runtime"],
    needs: noRoot,
  },
  {
    wall: "/tmp is the machine's",
    changes: [replaced(["--size", "1048576", "--tmpfs", "/tmp"], ["--ro-bind", "/tmp", "/tmp"])],
    down: [...(process.cwd().startsWith("/tmp/") ? ["files.host"] : []), "files.temporary"],
  },
  {
    wall: "/tmp is writable",
    changes: [replaced(["--remount-ro", "/tmp"])],
    down: ["files.mounts", "files.temporary"],
  },
  {
    wall: "the root is writable",
    changes: [replaced(["--remount-ro", "/"])],
    down: ["files.mounts"],
  },
  {
    wall: "/dev is writable",
    changes: [replaced(["--remount-ro", "/dev"])],
    down: ["files.mounts"],
  },
  {
    wall: "no --clearenv",
    changes: [replaced(["--clearenv"])],
    down: ["environment.empty"],
  },
  {
    wall: "a descriptor is left open",
    changes: [shell("exec ", "exec 9</etc/passwd; exec ")],
    down: ["descriptors.none"],
  },
  {
    wall: "no --unshare-net",
    changes: [replaced(["--unshare-net"])],
    down: ["namespaces.own", "network.interfaces"],
  },
  {
    wall: "no filter of system calls",
    changes: [noFilter],
    alone: true,
    down: [
      ...["calls.filter", "processes.debugger", "processes.fork-bomb", "processes.start", "sockets.inet"],
      ...["sockets.inet6", "sockets.netlink", "sockets.other", "sockets.unix"],
    ],
  },
  {
    wall: "no filter, no --unshare-net",
    changes: [noFilter, replaced(["--unshare-net"])],
    alone: true,
    down: [
      ...["calls.filter", "namespaces.own", "network.interfaces", "network.reach", "processes.debugger"],
      ...["processes.fork-bomb", "processes.start", "sockets.inet", "sockets.inet6", "sockets.netlink"],
      ...["sockets.other", "sockets.unix"],
    ],
  },
  {
    wall: "no --unshare-pid",
    changes: [replaced(["--unshare-pid"]), replaced(["--as-pid-1"])],
    alone: true,
    down: ["namespaces.own", "processes.signal", "processes.visible"],
  },
  { wall: "no --unshare-ipc", changes: [replaced(["--unshare-ipc"])], down: ["namespaces.own"] },
  {
    wall: "no --unshare-uts",
    changes: [replaced(["--unshare-uts"]), replaced(["--hostname", "bulkhead"])],
    down: ["namespaces.own"],
  },
  {
    wall: "no --new-session",
    changes: [replaced(["--new-session"])],
    down: ["terminal.none"],
  },
  {
    wall: "no account of its own",
    changes: [sameAccount],
    down: ["account.user"],
    needs: noRoot,
  },
  {
    wall: "capabilities are kept",
    changes: [replaced(["--cap-drop", "ALL"], ["--cap-add", "ALL"])],
    alone: true,
    down: ["account.capabilities"],
  },
  {
    wall: "no --die-with-parent",
    changes: [replaced(["--die-with-parent"])],
    down: ["ends.with-platform"],
  },
  {
    wall: "no limit on files",
    changes: [shell("ulimit -f 0; ", "")],
    down: ["limits.files"],
  },
  {
    wall: "no limit on memory",
    changes: [shell('ulimit -d "$1" 2>/dev/null; ', "")],
    down: ["memory.data"],
  },
  { wall: "memory is not watched", seams: { residentMb: 4096 }, down: ["memory.resident"], alone: true },
  { wall: "a host process outlives its link", changes: [lingers], down: ["ends.with-link"] },
  { wall: "no permission flags", changes: [noFlags], down: ["flags.host-process"] },
  { wall: "workers have no permission flags", seams: { without: ["worker-flags"] }, down: ["worker.flags"] },
  {
    wall: "workers have an environment",
    seams: { without: ["worker-environment"] },
    down: ["worker.environment"],
  },
  {
    wall: "no compartment",
    seams: { without: ["compartment"] },
    down: ["compartment.evaluation", "compartment.globals", "compartment.intrinsics"],
  },
];

const FILE = "/etc/bulkhead.config.json";

/** Groups cases whose walls are taken away together: no check is in two of them. The long run takes each away by itself. */
function grouped(cases: readonly Case[]): readonly (readonly Case[])[] {
  const groups: Case[][] = [];
  for (const one of cases) {
    const fits = (group: readonly Case[]): boolean =>
      !one.alone && group.every(({ alone, down }) => !alone && !down.some((name) => one.down.includes(name)));
    const group = LONG ? undefined : groups.find(fits);
    if (group) group.push(one);
    else groups.push([one]);
  }
  return groups;
}

for (const group of grouped(CASES.filter(({ needs }) => needs === undefined))) {
  const down = group.flatMap((one) => one.down);
  test(
    `${group.map(({ wall }) => wall).join("; ")}: ${down.join(", ")}`,
    async () => {
      const raise = taking(...group.flatMap(({ changes = [] }) => changes));
      const without = group.flatMap(({ seams }) => seams?.without ?? []);
      const found = await examine(
        "bubblewrap",
        FILE,
        Object.assign({}, ...group.map(({ seams }) => seams), { raise, without }),
      );
      const broken = found.checks.filter((one) => one.holds === "no");
      assert.equal([...found.failed].sort(), [...down].sort());
      for (const { name, demanded, fix, evidence, attempts } of broken) {
        assert.ok(demanded && fix !== null && fix.length > 10, `${name} has a fix`);
        assert.ok(
          attempts.some((one) => one.through),
          evidence,
        );
      }
    },
    { needs: noBubblewrap, ms: 60_000 },
  );
}

for (const { wall, needs } of CASES) if (needs !== undefined) test(wall, () => {}, { needs });

/** What cannot be taken out of bubblewrap alone. */
const WITH_NOTHING = ["account.no-new-privileges", "wall.raised"];

test(
  "no wall at all: every check of bubblewrap, its filter and the flags is down",
  async () => {
    const { checks } = await examine("bubblewrap", FILE, { raise: nothingStands });
    const holding = checks.filter(({ name, holds }) => holds !== "no" && name !== "wall.raised");
    const parts = new Map(CHECKS.map(({ name, part }) => [name, part]));
    const root = process.getuid?.() === 0;
    // What an ordinary user has no right to, with a wall or without one; to no capability where a program could give it none either.
    const bounded = /^CapBnd:\s*0+$/m.test(readFileSync("/proc/self/status", "latin1"));
    const rights = root ? [] : ["account.user", ...(bounded ? ["account.capabilities"] : [])];
    // Every host process is started in a session of its own.
    const never = [...rights, "terminal.none"];
    assert.equal(
      holding
        .filter(({ name }) => ["bubblewrap", "filter", "flags"].includes(parts.get(name) ?? ""))
        .map(({ name }) => name)
        .sort(),
      never.sort(),
    );
  },
  { needs: noBubblewrap, ms: 60_000 },
);

test(
  "the demanded wall cannot be raised: wall.raised is down, and the rest is tried behind what there is",
  async () => {
    const { raiseWall } = await import("#dist/isolation/walls/raise.js");
    const raise: typeof raiseWall = async (demanded, policyFile) => {
      if (demanded === "bubblewrap") throw new Error("there is no bwrap");
      return raiseWall("node", policyFile);
    };
    const { wall, failed: down, checks } = await examine("bubblewrap", FILE, { raise });
    assert.is(wall, "node");
    assert.ok(
      down.includes("wall.raised") && down.includes("files.host") && down.includes("account.no-new-privileges"),
    );
    assert.not(down.includes("flags.host-process"));
    for (const { name, fix } of checks.filter((one) => one.name === "wall.raised" || one.name === "files.host"))
      assert.match(fix ?? "", /raise bubblewrap/, name);
  },
  { ms: 60_000 },
);

test(
  "what stands behind the wall does not start: every check that is tried there is down, and says why",
  async () => {
    const raise = taking(replaced(["--as-pid-1"], ["--no-such-option"]));
    const { failed: down, checks } = await examine("bubblewrap", FILE, { raise });
    const up = checks.filter(({ holds }) => holds !== "no").map(({ name }) => name);
    assert.equal(up, ["wall.raised"]);
    assert.is(down.length, CHECKS.length - 1);
    assert.match(checks.find(({ name }) => name === "files.host")?.evidence ?? "", /no-such-option/);
  },
  { needs: noBubblewrap, ms: 60_000 },
);

test("nothing can be raised: every check is skipped, and one that is demanded is down", async () => {
  const raise = (): Promise<never> => Promise.reject(new Error("the runtime folder cannot be made"));
  const { wall, failed: down, checks } = await examine("bubblewrap", FILE, { raise });
  assert.is(wall, null);
  assert.equal(down, ["wall.raised"]);
  assert.ok(checks.every(({ name, holds }) => holds === (name === "wall.raised" ? "no" : "skipped")));
});

test("every check is shown failing by one of these", () => {
  const shown = new Set([...CASES.flatMap(({ down }) => down), ...WITH_NOTHING]);
  assert.equal(
    CHECKS.map(({ name }) => name).filter((name) => !shown.has(name)),
    [],
  );
  const known = new Set(CHECKS.map(({ name }) => name));
  assert.equal(
    [...shown].filter((name) => !known.has(name)),
    [],
  );
});

test.run();
