/** The filter of system calls: what the kernel would answer, by an interpreter of its program; and what it does answer, inside. */
import type { Readable } from "node:stream";
import { WALLS } from "#dist/isolation/limits.js";
import { bubblewrapCommand } from "#dist/isolation/walls/bubblewrap.js";
import {
  acquireRuntimeFolder,
  type RuntimeFolder,
  releaseRuntimeFolder,
} from "#dist/isolation/walls/runtime-folder.js";
import { seccompFilter } from "#dist/isolation/walls/seccomp.js";
import { startBehind } from "#dist/isolation/walls/start.js";
import { assert, suite, type TestContext } from "../harness.js";
import { noBubblewrap } from "./walled.js";

const test = suite("isolation: the filter of system calls");

interface SystemCall {
  readonly arch: number;
  readonly number: number;
  readonly first?: number;
}

/** linux/seccomp.h and linux/filter.h, as far as a filter without arithmetic uses them. Throws at what no kernel would load. */
function run(program: Buffer, { arch, number, first = 0 }: SystemCall): string {
  assert.is(program.length % 8, 0);
  const count = program.length / 8;
  const data = new Map([
    [0, number],
    [4, arch],
    [16, first],
  ]);
  let accumulator = 0;
  for (let at = 0; ; ) {
    assert.ok(at < count, "it runs off the end");
    const code = program.readUInt16LE(at * 8);
    const yes = program.readUInt8(at * 8 + 2);
    const no = program.readUInt8(at * 8 + 3);
    const value = program.readUInt32LE(at * 8 + 4);
    at++;
    switch (code) {
      case 0x20: {
        const word = data.get(value);
        assert.ok(word !== undefined, `it loads word ${value}`);
        accumulator = word >>> 0;
        break;
      }
      case 0x15:
        at += accumulator === value ? yes : no;
        break;
      case 0x35:
        at += accumulator >= value ? yes : no;
        break;
      case 0x45:
        at += (accumulator & value) !== 0 ? yes : no;
        break;
      case 0x06:
        if (value === 0x7fff0000) return "allow";
        if (value === 0x80000000) return "kill";
        if (value >>> 16 === 5) return `errno ${value & 0xffff}`;
        return assert.unreachable(`it returns ${value.toString(16)}`) as never;
      default:
        assert.unreachable(`instruction ${code.toString(16)}`);
    }
  }
}

const EPERM = "errno 1";
const ENOSYS = "errno 38";
const CLONE_THREAD = 0x10000;
/** What glibc passes for a thread, and for a fork. */
const THREAD_FLAGS = 0x3d0f00;
const FORK_FLAGS = 0x1200011;

/** asm/unistd_64.h and asm-generic/unistd.h, written down apart from the filter. */
const NUMBERS = {
  x64: {
    arch: 0xc000003e,
    clone: 56,
    denied: {
      ...{ socket: 41, connect: 42, accept: 43, bind: 49, listen: 50, socketpair: 53, accept4: 288 },
      ...{ fork: 57, vfork: 58, execveat: 322, ptrace: 101, process_vm_readv: 310, process_vm_writev: 311 },
      ...{ unshare: 272, setns: 308, personality: 135, pivot_root: 155, chroot: 161, mount: 165, umount2: 166 },
      ...{ open_by_handle_at: 304, init_module: 175, finit_module: 313, kexec_load: 246, kexec_file_load: 320 },
      ...{ add_key: 248, request_key: 249, keyctl: 250, perf_event_open: 298, bpf: 321, userfaultfd: 323 },
      ...{ open_tree: 428, move_mount: 429, fsopen: 430, fsmount: 432, pidfd_open: 434, pidfd_getfd: 438 },
      ...{ mount_setattr: 442, modify_ldt: 154, iopl: 172, ioperm: 173 },
    },
    allowed: {
      ...{ read: 0, write: 1, close: 3, mmap: 9, mprotect: 10, munmap: 11, brk: 12, rt_sigaction: 13, ioctl: 16 },
      ...{ readv: 19, writev: 20, sched_yield: 24, madvise: 28, getpid: 39, shutdown: 48, execve: 59, exit: 60 },
      ...{ futex: 202, epoll_create1: 291, epoll_pwait: 281, eventfd2: 290, exit_group: 231, getrandom: 318 },
      ...{ openat: 257, statx: 332, prlimit64: 302, rseq: 334, tgkill: 234, pipe2: 293, seccomp: 317 },
    },
  },
  arm64: {
    arch: 0xc00000b7,
    clone: 220,
    denied: {
      ...{ socket: 198, socketpair: 199, bind: 200, listen: 201, accept: 202, connect: 203, accept4: 242 },
      ...{ execveat: 281, ptrace: 117, process_vm_readv: 270, process_vm_writev: 271, unshare: 97, setns: 268 },
      ...{ personality: 92, pivot_root: 41, chroot: 51, mount: 40, umount2: 39, open_by_handle_at: 265 },
      ...{ kexec_load: 104, init_module: 105, finit_module: 273, kexec_file_load: 294 },
      ...{ add_key: 217, request_key: 218, keyctl: 219, perf_event_open: 241, bpf: 280, userfaultfd: 282 },
      ...{ open_tree: 428, move_mount: 429, fsopen: 430, fsmount: 432, pidfd_open: 434, pidfd_getfd: 438 },
      ...{ mount_setattr: 442 },
    },
    allowed: {
      ...{ read: 63, write: 64, close: 57, mmap: 222, mprotect: 226, munmap: 215, brk: 214, rt_sigaction: 134 },
      ...{ ioctl: 29, readv: 65, writev: 66, futex: 98, epoll_create1: 20, epoll_pwait: 22, eventfd2: 19 },
      ...{ exit: 93, exit_group: 94, getrandom: 278, openat: 56, statx: 291, execve: 221, pipe2: 59, prlimit64: 261 },
    },
  },
} as const;

for (const [name, { arch, clone, denied, allowed }] of Object.entries(NUMBERS)) {
  const program = seccompFilter(name) ?? Buffer.alloc(0);
  const answer = (number: number, first?: number): string =>
    run(program, { arch, number, ...(first === undefined ? {} : { first }) });

  test(`${name}: each denied call is EPERM, each that Node needs is allowed`, () => {
    for (const [call, number] of Object.entries(denied)) assert.is(answer(number), EPERM, call);
    for (const [call, number] of Object.entries(allowed)) assert.is(answer(number), "allow", call);
  });

  test(`${name}: a thread may be made, a process may not; clone3 and io_uring are as if the kernel had none`, () => {
    assert.is(answer(clone, THREAD_FLAGS), "allow");
    assert.is(answer(clone, CLONE_THREAD), "allow");
    for (const flags of [0, 17, FORK_FLAGS, 0x4000 | 17, 0x10000000, ~CLONE_THREAD >>> 0])
      assert.is(answer(clone, flags), EPERM, flags.toString(16));
    for (const number of [435, 425, 426, 427]) assert.is(answer(number), ENOSYS);
  });

  test(`${name}: another architecture's calls end the process`, () => {
    for (const other of [0x40000003, 0x40000028, arch ^ 0x80000000, 0, 0xffffffff])
      assert.is(run(program, { arch: other >>> 0, number: 0 }), "kill");
  });

  test(`${name}: every number has an answer, and jumps only forwards within the program`, () => {
    assert.ok(program.length / 8 <= 4096, "longer than a kernel loads");
    for (let number = 0; number < 1024; number++) assert.match(answer(number), /^(allow|errno (1|38))$/);
    assert.match(answer(0xffffffff), name === "x64" ? /^errno 1$/ : /^allow$/);
  });
}

test("x64: the calls of x32 are refused, those denied elsewhere among them", () => {
  const program = seccompFilter("x64") ?? Buffer.alloc(0);
  for (const number of [0, 1, 41, 520, 538])
    assert.is(run(program, { arch: 0xc000003e, number: 0x40000000 + number }), EPERM);
});

test("an architecture nobody has written down has no filter", () => {
  for (const arch of ["riscv64", "__proto__", "toString", ""]) assert.is(seccompFilter(arch), undefined);
});

/** Tries what a process without the filter may do, and prints what came of each. */
const TRY = `
const told = {};
const { spawnSync } = require("node:child_process");
const net = require("node:net");
const dgram = require("node:dgram");
const ask = (name, make) => new Promise((done) => {
  try {
    const one = make(() => done(told[name] = "done"));
    one.on("error", (error) => done(told[name] = error.code + " " + error.syscall));
  } catch (error) { done(told[name] = error.code + " " + error.syscall); }
});
(async () => {
  await ask("tcp4", (ok) => net.createServer().listen(0, "127.0.0.1", ok));
  await ask("unix", (ok) => net.createServer().listen("/tmp/one", ok));
  await ask("abstract", (ok) => net.createServer().listen("\\0one", ok));
  await ask("udp4", (ok) => dgram.createSocket("udp4").bind(0, "127.0.0.1", ok));
  const { error } = spawnSync(process.execPath, ["--version"], { stdio: "ignore" });
  told.spawn = error ? error.code : "done";
  await new Promise((done) => new (require("node:worker_threads").Worker)("0", { eval: true, resourceLimits: { codeRangeSizeMb: 32 } }).on("exit", done));
  told.thread = "done";
  console.log(JSON.stringify(told));
  process.exit();
})();`;

/** What `TRY` tells behind the wall. */
async function inside(t: TestContext, filter: boolean): Promise<Readonly<Record<string, string>>> {
  const whole = acquireRuntimeFolder();
  t.cleanup(releaseRuntimeFolder);
  const folder: RuntimeFolder = filter ? whole : { ...whole, filter: undefined };
  const command = bubblewrapCommand(folder, WALLS.dataMbDedicated, ["-e", TRY]);
  const child = startBehind(command, { stdout: "pipe", link: false });
  t.cleanup(() => child.kill("SIGKILL"));
  (child.stdio[4] as Readable).resume();
  let printed = "";
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding("utf8").on("data", (part: string) => {
      printed += part;
    });
  await new Promise((resolve) => child.once("close", resolve));
  assert.match(printed, /^\{.*\}\n$/, printed);
  return JSON.parse(printed);
}

test(
  "inside: no socket of any family, no process; a thread",
  async (t) => {
    assert.ok(seccompFilter() !== undefined, `there is no filter for ${process.arch}`);
    const denied = await inside(t, true);
    assert.equal(
      [denied.tcp4, denied.unix, denied.abstract, denied.spawn, denied.thread],
      ["EPERM listen", "EPERM listen", "EPERM listen", "EPERM", "done"],
    );
    assert.match(denied.udp4 ?? "", /^EPERM/);
    // It is the filter that does it: what stands besides closes the world, not the calls.
    const open = await inside(t, false);
    assert.equal([open.tcp4, open.abstract, open.udp4, open.spawn], ["done", "done", "done", "done"]);
  },
  { needs: noBubblewrap },
);

test.run();
