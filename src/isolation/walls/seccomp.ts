/**
 * The system call filter of a host process (seccomp-BPF): no new sockets, processes or namespaces, and no kernel facility
 * that a purely computing thread does not need. Bubblewrap applies it right before Node starts; threads are allowed.
 */

/** System call numbers that differ between the supported architectures. */
interface Architecture {
  /** AUDIT_ARCH_*, linux/audit.h. */
  readonly audit: number;
  /** Numbers from here on belong to another calling convention (x32). */
  readonly foreign: number | undefined;
  readonly clone: number;
  /** Refused with EPERM: process, socket, namespace and mount calls, tracing, keys, modules, handles. */
  readonly denied: readonly number[];
}

/** Same numbers on all architectures: the newer mount calls, pidfd_open, pidfd_getfd, mount_setattr. */
const DENIED_EVERYWHERE = [428, 429, 430, 431, 432, 433, 434, 438, 442] as const;
/** io_uring_*, clone3: answered with ENOSYS, so that libuv and libc fall back to calls that can be filtered. */
const ABSENT = [425, 426, 427, 435] as const;

const ARCHITECTURES: Readonly<Record<string, Architecture>> = {
  x64: {
    audit: 0xc000003e,
    foreign: 0x40000000,
    clone: 56,
    denied: [
      41,
      42,
      43,
      49,
      50,
      53,
      288, // socket connect accept bind listen socketpair accept4
      57,
      58,
      322, // fork vfork execveat
      101,
      310,
      311,
      272,
      308,
      135, // ptrace process_vm_readv process_vm_writev unshare setns personality
      155,
      161,
      165,
      166,
      304, // pivot_root chroot mount umount2 open_by_handle_at
      154,
      172,
      173,
      175,
      176,
      246,
      313,
      320, // modify_ldt iopl ioperm, kernel modules and images
      248,
      249,
      250,
      298,
      321,
      323, // keys, perf_event_open bpf userfaultfd
    ],
  },
  arm64: {
    audit: 0xc00000b7,
    foreign: undefined,
    clone: 220,
    denied: [
      198,
      199,
      200,
      201,
      202,
      203,
      242, // socket socketpair bind listen accept connect accept4
      281, // execveat
      117,
      270,
      271,
      97,
      268,
      92, // ptrace process_vm_readv process_vm_writev unshare setns personality
      41,
      51,
      40,
      39,
      265, // pivot_root chroot mount umount2 open_by_handle_at
      104,
      105,
      106,
      273,
      294, // kernel modules and images
      217,
      218,
      219,
      241,
      280,
      282, // keys, perf_event_open bpf userfaultfd
    ],
  },
};

/** struct seccomp_data: number, architecture, instruction pointer, six arguments. */
const NUMBER_AT = 0;
const ARCH_AT = 4;
const ARGUMENT_AT = 16;
/** linux/bpf_common.h: load a word, jump if equal, if greater or equal, if any bit is set, return. */
const LOAD = 0x20;
const EQUAL = 0x15;
const AT_LEAST = 0x35;
const ANY_BIT = 0x45;
const RETURN = 0x06;
const ALLOW = 0x7fff0000;
const KILL = 0x80000000;
const ERRNO = 0x00050000;
const EPERM = 1;
const ENOSYS = 38;
const CLONE_THREAD = 0x00010000;

type Instruction = readonly [code: number, jumpTrue: number, jumpFalse: number, value: number];

/** Returns the filter as the kernel reads it; undefined for an unsupported architecture. */
export function seccompFilter(arch: string = process.arch): Buffer | undefined {
  const one = Object.hasOwn(ARCHITECTURES, arch) ? ARCHITECTURES[arch] : undefined;
  if (one === undefined) return undefined;
  const program: Instruction[] = [
    [LOAD, 0, 0, ARCH_AT],
    [EQUAL, 1, 0, one.audit],
    [RETURN, 0, 0, KILL],
    [LOAD, 0, 0, NUMBER_AT],
  ];
  if (one.foreign !== undefined) program.push([AT_LEAST, 0, 1, one.foreign], [RETURN, 0, 0, ERRNO | EPERM]);
  for (const number of [...one.denied, ...DENIED_EVERYWHERE]) {
    program.push([EQUAL, 0, 1, number], [RETURN, 0, 0, ERRNO | EPERM]);
  }
  for (const number of ABSENT) program.push([EQUAL, 0, 1, number], [RETURN, 0, 0, ERRNO | ENOSYS]);
  program.push(
    [EQUAL, 0, 3, one.clone],
    [LOAD, 0, 0, ARGUMENT_AT],
    [ANY_BIT, 1, 0, CLONE_THREAD],
    [RETURN, 0, 0, ERRNO | EPERM],
    [RETURN, 0, 0, ALLOW],
  );
  const bytes = Buffer.alloc(program.length * 8);
  for (const [index, [code, jumpTrue, jumpFalse, value]] of program.entries()) {
    bytes.writeUInt16LE(code, index * 8);
    bytes.writeUInt8(jumpTrue, index * 8 + 2);
    bytes.writeUInt8(jumpFalse, index * 8 + 3);
    bytes.writeUInt32LE(value >>> 0, index * 8 + 4);
  }
  return bytes;
}
