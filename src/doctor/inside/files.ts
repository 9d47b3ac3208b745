/** Probes of files: the machine's, the runtime's, temporary ones, and open descriptors. */
import {
  chmodSync,
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmdirSync,
  rmSync,
  statSync,
} from "node:fs";
import { observe, type Probe, probe, type Targets } from "../probe.js";

/** Reads files and lists folders. */
export function hostFiles({ files }: Targets): readonly Probe[] {
  return files.map((path) => probe(`read ${path}`, () => read(path)));
}

function read(path: string): unknown {
  if (!statSync(path).isDirectory()) return readFileSync(path);
  return `${readdirSync(path).length} entries`;
}

/** Writes where the runtime's code is; undoes what succeeds. */
export function runtimeFolder(root: string, entry: string): readonly Probe[] {
  const name = `${root}/bulkhead-doctor-${process.pid}`;
  return [
    probe(`make a folder in ${root}`, () => {
      mkdirSync(name);
      rmdirSync(name);
    }),
    probe(`make a file in ${root}`, () => {
      closeSync(openSync(name, "wx"));
      rmSync(name);
    }),
    probe(`open ${entry} for writing`, () => closeSync(openSync(entry, "r+"))),
  ];
}

export function temporaryFiles({ temporary }: Targets): readonly Probe[] {
  const name = `/tmp/bulkhead-doctor-${process.pid}`;
  return [
    probe(`read ${temporary}`, () => readFileSync(temporary)),
    probe("find something in /tmp", () => {
      const { length } = readdirSync("/tmp");
      if (length === 0) throw new Error("it is empty");
      return `${length} entries`;
    }),
    probe("make a folder in /tmp", () => {
      mkdirSync(name);
      rmdirSync(name);
    }),
  ];
}

/** Kernel file systems, on which a change of mode writes nothing; other probes cover them. */
const KERNEL = new Set(["proc", "devpts", "devtmpfs"]);

/** Checks that every mount is read-only, and tries to write to it: sets its root's mode to what it is. */
export function mounts(): readonly Probe[] {
  const found = readFileSync("/proc/self/mountinfo", "utf8")
    .trim()
    .split("\n")
    .map((line) => line.split(" "))
    .map((fields) => ({ at: fields[4] ?? "", options: fields[5] ?? "", type: fields[fields.indexOf("-") + 1] ?? "" }))
    .filter(({ type }) => !KERNEL.has(type));
  return found.map(({ at, options }) => {
    if (!options.split(",").includes("ro")) return observe(`write to ${at}`, true, `mounted ${options}`);
    const tried = probe(`write to ${at}`, () => chmodSync(at, statSync(at).mode & 0o7777));
    return { ...tried, through: tried.through || tried.said !== "EROFS" };
  });
}

/** Finds descriptors besides 0, 1, 2, the link, and what Node itself has opened: events, pipes to itself, /dev/null. */
export function descriptors(): readonly Probe[] {
  const found = readdirSync("/proc/self/fd")
    .map((one) => ({ number: Number(one), to: linked(one) }))
    .filter(({ number, to }) => number > 3 && to !== "" && to !== "/dev/null" && !to.startsWith("anon_inode:"));
  // A pipe whose two ends are both here leads nowhere else.
  const foreignDescriptors = found.filter(
    ({ to }) => !to.startsWith("pipe:") || found.filter((one) => one.to === to).length < 2,
  );
  const list = foreignDescriptors.map(({ number, to }) => `${number}=${to}`).join(" ");
  return [
    observe("find a descriptor of another program", foreignDescriptors.length > 0, list || "none but Node's own"),
  ];
}

function linked(descriptor: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${descriptor}`);
  } catch {
    // The descriptor of the listing itself, closed by now.
    return "";
  }
}

/** Checks the kernel's limits on files: size, core dumps, and how many are open. */
export function fileLimits(): readonly Probe[] {
  const text = readFileSync("/proc/self/limits", "utf8");
  const hard = (name: string): string => new RegExp(`^${name}\\s+\\S+\\s+(\\S+)`, "m").exec(text)?.[1] ?? "unlimited";
  const most = 4096;
  return [
    observe("dump a core", hard("Max core file size") !== "0", `at most ${hard("Max core file size")} bytes`),
    observe("write to a file", hard("Max file size") !== "0", `at most ${hard("Max file size")} bytes`),
    probe(`open ${most} files`, () => {
      const opened: number[] = [];
      try {
        while (opened.length < most) opened.push(openSync("/dev/null", "r"));
      } finally {
        for (const one of opened) closeSync(one);
      }
      return `${most} opened`;
    }),
  ];
}

/** Looks for environment variables; bubblewrap itself sets PWD. */
export function environment(): readonly Probe[] {
  const names = new Set(Object.keys(process.env));
  for (const pair of readFileSync("/proc/self/environ", "utf8").split("\0")) {
    const [name] = pair.split("=");
    if (name) names.add(name);
  }
  if (process.env.PWD === "/" || process.env.PWD === "/bulkhead") names.delete("PWD");
  return [observe("find the platform's environment", names.size > 0, [...names].join(" ") || "empty")];
}
