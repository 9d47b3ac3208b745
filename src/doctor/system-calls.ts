/**
 * A program that makes system calls as an attacker's machine code would, without Node or libc in between, and prints what the
 * kernel returned. It is assembled here, for x86-64 only.
 */
import { observe, type Probe, type Probes } from "./probe.js";

/** All arguments are harmless where the call is allowed: most calls reject them as invalid. */
type Call = readonly [what: string, number: number, ...args: number[]];

const SOCKET = 41;
const DGRAM = 2;
const RAW = 3;
const NOWHERE = -1;

/** Socket families that JavaScript cannot open. */
const SOCKETS: readonly Call[] = [
  ["open a packet socket", SOCKET, 17, RAW, 0x0300],
  ["open a raw IPv4 socket", SOCKET, 2, RAW, 1],
  ["open a raw IPv6 socket", SOCKET, 10, RAW, 58],
  ["open a netlink socket", SOCKET, 16, RAW, 0],
  ["open a Unix socket pair", 53, 1, DGRAM, 0, 0],
  ["open a key socket", SOCKET, 15, RAW, 2],
  ["open an RDS socket", SOCKET, 21, 5, 0],
  ["open a CAN socket", SOCKET, 29, RAW, 1],
  ["open a TIPC socket", SOCKET, 30, DGRAM, 0],
  ["open a Bluetooth socket", SOCKET, 31, RAW, 1],
  ["open an ALG socket", SOCKET, 38, 5, 0],
  ["open a VSOCK socket", SOCKET, 40, 1, 0],
  ["open an SMC socket", SOCKET, 43, 1, 0],
  ["open an XDP socket", SOCKET, 44, RAW, 0],
  ["connect a socket", 42, NOWHERE, 0, 0],
  ["bind a socket", 49, NOWHERE, 0, 0],
  ["listen on a socket", 50, NOWHERE, 1],
  ["accept on a socket", 288, NOWHERE, 0, 0, 0],
];

const CALLS: readonly Call[] = [
  ["clone a process", 56, 0x0800, 0, 0, 0, 0],
  ["clone3 a process", 435, 0, 0],
  ["execveat", 322, NOWHERE, 0, 0, 0, 0],
  ["ptrace", 101, 2, 0, 0, 0],
  ["process_vm_readv", 310, 0x7fff_ffff, 0, 0, 0, 0, 0],
  ["process_vm_writev", 311, 0x7fff_ffff, 0, 0, 0, 0, 0],
  ["unshare", 272, 0],
  ["setns", 308, NOWHERE, 0],
  ["personality", 135, 0xffff_ffff],
  ["io_uring_setup", 425, 0, 0],
  ["io_uring_enter", 426, NOWHERE, 0, 0, 0, 0, 0],
  ["userfaultfd", 323, 1],
  ["perf_event_open", 298, 0, 0, NOWHERE, NOWHERE, 0],
  ["bpf", 321, 9999, 0, 0],
  ["keyctl", 250, 9999, 0, 0, 0, 0],
  ["add_key", 248, 0, 0, 0, 0, 0],
  ["mount", 165, 0, 0, 0, 0, 0],
  ["umount2", 166, 0, 0],
  ["pivot_root", 155, 0, 0],
  ["chroot", 161, 0],
  ["open_tree", 428, NOWHERE, 0, 0],
  ["fsopen", 430, 0, 0],
  ["mount_setattr", 442, NOWHERE, 0, 0, 0, 0],
  ["open_by_handle_at", 304, NOWHERE, 0, 0],
  ["pidfd_open", 434, NOWHERE, 0],
  ["pidfd_getfd", 438, NOWHERE, 0, 0],
  ["init_module", 175, 0, 0, 0],
];

const ALL = [...SOCKETS, ...CALLS];
const EPERM = 1;
const ENOSYS = 38;
/** Names of the errors that are shown by name. */
const NAMES: Readonly<Record<number, string>> = {
  1: "EPERM",
  9: "EBADF",
  14: "EFAULT",
  22: "EINVAL",
  38: "ENOSYS",
  97: "EAFNOSUPPORT",
};

const ADDRESS = 0x400000;
const HEADERS = 0x40 + 2 * 0x38;

/** Returns the program's file; undefined if this machine is not supported. */
export function systemCallProgram(
  platform: string = process.platform,
  arch: string = process.arch,
): Buffer | undefined {
  return platform === "linux" && arch === "x64" ? elf(code(ALL)) : undefined;
}

/** Pushes every return value onto the stack, and writes the stack to descriptor 1 at the end. */
function code(calls: readonly Call[]): Buffer {
  const parts = calls.flatMap(([, number, ...args]) => [
    load([0x48, 0xb8], number),
    ...ARGUMENTS.map((register, index) => load(register, args[index] ?? 0)),
    Buffer.from([0x0f, 0x05, 0x50]), // syscall; push rax
  ]);
  return Buffer.concat([
    ...parts,
    load([0x48, 0xb8], 1), // write
    load([0x48, 0xbf], 1),
    Buffer.from([0x48, 0x89, 0xe6]), // mov rsi, rsp
    load([0x48, 0xba], calls.length * 8),
    Buffer.from([0x0f, 0x05]),
    load([0x48, 0xb8], 231), // exit_group
    load([0x48, 0xbf], 0),
    Buffer.from([0x0f, 0x05]),
  ]);
}

/** `mov` of 64 bits to rdi, rsi, rdx, r10, r8, r9: the order of a system call's arguments. */
const ARGUMENTS = [
  [0x48, 0xbf],
  [0x48, 0xbe],
  [0x48, 0xba],
  [0x49, 0xba],
  [0x49, 0xb8],
  [0x49, 0xb9],
] as const;

function load(register: readonly number[], value: number): Buffer {
  const bytes = Buffer.alloc(10);
  bytes.set(register);
  bytes.writeBigInt64LE(BigInt(value), 2);
  return bytes;
}

/** Builds an ELF file: one segment that is readable and executable, and a stack that is not executable. */
function elf(text: Buffer): Buffer {
  const head = Buffer.alloc(HEADERS);
  head.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  head.writeUInt16LE(2, 0x10); // ET_EXEC
  head.writeUInt16LE(62, 0x12); // EM_X86_64
  head.writeUInt32LE(1, 0x14);
  head.writeBigUInt64LE(BigInt(ADDRESS + HEADERS), 0x18); // entry
  head.writeBigUInt64LE(0x40n, 0x20); // program headers
  head.writeUInt16LE(0x40, 0x34);
  head.writeUInt16LE(0x38, 0x36);
  head.writeUInt16LE(2, 0x38);
  const size = BigInt(HEADERS + text.length);
  head.writeUInt32LE(1, 0x40); // PT_LOAD, read and execute
  head.writeUInt32LE(5, 0x44);
  head.writeBigUInt64LE(BigInt(ADDRESS), 0x50);
  head.writeBigUInt64LE(BigInt(ADDRESS), 0x58);
  head.writeBigUInt64LE(size, 0x60);
  head.writeBigUInt64LE(size, 0x68);
  head.writeBigUInt64LE(0x1000n, 0x70);
  head.writeUInt32LE(0x6474e551, 0x78); // PT_GNU_STACK, read and write
  head.writeUInt32LE(6, 0x7c);
  head.writeBigUInt64LE(0x10n, 0xa8);
  return Buffer.concat([head, text]);
}

/** Reads what the program printed, by check. An allowed call may still fail, with another error than the filter's. */
export function readSystemCalls(printed: Buffer): ReadonlyMap<string, Probes> {
  if (printed.length !== ALL.length * 8) {
    const broken = [
      observe("make system calls", true, `the program printed ${printed.length} bytes of ${ALL.length * 8}`),
    ];
    return new Map([
      ["sockets.other", broken],
      ["calls.filter", broken],
    ]);
  }
  const attempts = ALL.map(([what], index): Probe => {
    // The last value comes first: a stack grows downwards.
    const answer = Number(printed.readBigInt64LE((ALL.length - 1 - index) * 8));
    const refused = answer === -EPERM || answer === -ENOSYS;
    return observe(what, !refused, answer >= 0 ? `it returned ${answer}` : (NAMES[-answer] ?? `error ${-answer}`));
  });
  return new Map([
    ["sockets.other", attempts.slice(0, SOCKETS.length)],
    ["calls.filter", attempts.slice(SOCKETS.length)],
  ]);
}
