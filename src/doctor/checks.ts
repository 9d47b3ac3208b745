/** The checks of the walls: what each tries, which wall it belongs to, and what to do if it fails. */
import type { CheckRow } from "./check-result.js";

/**
 * The wall that a check tests. "bubblewrap": namespaces, mounts and account; "filter": bubblewrap's filter of system calls;
 * "limits": the kernel's, on any host process; "flags": Node's permission flags; "runtime": what the runtime always does itself.
 */
export type Part = "bubblewrap" | "filter" | "limits" | "flags" | "runtime";

export interface Check extends CheckRow {
  readonly part: Part;
  /** What to do if it fails although bubblewrap is in place. */
  readonly fix: string;
}

const REINSTALL =
  "run the bwrap of your system's own package, 0.8 or later (Debian: apt-get install --reinstall bubblewrap)";
const FILTER = "the filter of system calls needs a kernel with CONFIG_SECCOMP_FILTER, and x86-64 or arm64";
const NODE = "use Node 20.19 or later, unmodified: its permission model must be compiled in";
const KERNEL = (option: string): string => `boot a kernel with ${option}, and ${REINSTALL}`;
const ACCOUNT = "create an account without rights for host processes: useradd --system --no-create-home bulkhead";
const SHELL = "let /bin/sh lower its limits: no wrapper of it, and no limit that a supervisor pins (systemd: Limit*=)";
const RUNTIME = "this is Bulkhead's own doing: reinstall the package (npm ci) and report it";

/** In the order they are listed. */
export const CHECKS: readonly Check[] = [
  {
    name: "wall.raised",
    tries: "raise the wall that the policy demands, and run Node behind it",
    part: "runtime",
    fix: "apt-get install bubblewrap",
  },
  { name: "files.host", tries: "read the machine's files and folders", part: "bubblewrap", fix: REINSTALL },
  { name: "files.runtime", tries: "write to the runtime's own folder", part: "bubblewrap", fix: REINSTALL },
  {
    name: "files.temporary",
    tries: "read what others have in /tmp, and write there",
    part: "bubblewrap",
    fix: REINSTALL,
  },
  { name: "files.mounts", tries: "write to any file system that is mounted", part: "bubblewrap", fix: REINSTALL },
  { name: "environment.empty", tries: "find the platform's environment", part: "bubblewrap", fix: REINSTALL },
  {
    name: "descriptors.none",
    tries: "find a descriptor beyond its link",
    part: "runtime",
    fix: "start the platform without open descriptors (a supervisor's, a shell's redirections), and report it",
  },
  { name: "sockets.inet", tries: "open an IPv4 socket", part: "filter", fix: FILTER },
  { name: "sockets.inet6", tries: "open an IPv6 socket", part: "filter", fix: FILTER },
  { name: "sockets.unix", tries: "open a Unix socket", part: "filter", fix: FILTER },
  { name: "sockets.netlink", tries: "ask the kernel for its interfaces", part: "filter", fix: FILTER },
  { name: "sockets.other", tries: "open sockets of other families, by system call", part: "filter", fix: FILTER },
  {
    name: "network.interfaces",
    tries: "see an interface, a route, another's socket",
    part: "bubblewrap",
    fix: KERNEL("CONFIG_NET_NS"),
  },
  {
    name: "network.reach",
    tries: "connect to servers of the platform",
    part: "bubblewrap",
    fix: KERNEL("CONFIG_NET_NS"),
  },
  { name: "processes.start", tries: "start a process", part: "filter", fix: FILTER },
  { name: "processes.fork-bomb", tries: "start many processes at once", part: "filter", fix: FILTER },
  { name: "processes.visible", tries: "see another process", part: "bubblewrap", fix: KERNEL("CONFIG_PID_NS") },
  {
    name: "processes.signal",
    tries: "signal the platform, its parent, everybody",
    part: "bubblewrap",
    fix: KERNEL("CONFIG_PID_NS"),
  },
  { name: "terminal.none", tries: "reach the platform's terminal", part: "bubblewrap", fix: REINSTALL },
  { name: "processes.debugger", tries: "open a debugger", part: "filter", fix: FILTER },
  { name: "calls.filter", tries: "make system calls no driver needs", part: "filter", fix: FILTER },
  { name: "account.user", tries: "be root, or become it", part: "bubblewrap", fix: ACCOUNT },
  { name: "account.capabilities", tries: "hold a capability", part: "bubblewrap", fix: REINSTALL },
  { name: "account.no-new-privileges", tries: "gain privileges by a program", part: "bubblewrap", fix: REINSTALL },
  {
    name: "namespaces.own",
    tries: "share a namespace with the platform",
    part: "bubblewrap",
    fix: KERNEL("CONFIG_USER_NS, CONFIG_PID_NS, CONFIG_NET_NS, CONFIG_IPC_NS and CONFIG_UTS_NS"),
  },
  { name: "limits.files", tries: "write files, dump a core, open thousands of files", part: "limits", fix: SHELL },
  { name: "memory.data", tries: "take more memory than its limit", part: "limits", fix: SHELL },
  {
    name: "memory.resident",
    tries: "hold more memory than is watched for",
    part: "runtime",
    fix: "mount /proc where the platform runs, so that memory can be watched",
  },
  { name: "ends.with-link", tries: "outlive its link to the platform", part: "runtime", fix: RUNTIME },
  { name: "ends.with-platform", tries: "outlive a platform that is killed", part: "bubblewrap", fix: REINSTALL },
  {
    name: "flags.host-process",
    tries: "get past Node's permission flags, in a host process",
    part: "flags",
    fix: NODE,
  },
  { name: "worker.flags", tries: "get past Node's permission flags, in a worker", part: "runtime", fix: NODE },
  { name: "worker.environment", tries: "find an environment or arguments, in a worker", part: "runtime", fix: RUNTIME },
  { name: "compartment.globals", tries: "find what Node or a browser has, as a plugin", part: "runtime", fix: RUNTIME },
  {
    name: "compartment.evaluation",
    tries: "evaluate or import its way out, as a plugin",
    part: "runtime",
    fix: RUNTIME,
  },
  { name: "compartment.intrinsics", tries: "change what all code shares, as a plugin", part: "runtime", fix: RUNTIME },
];
