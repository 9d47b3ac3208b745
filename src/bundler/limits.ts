/** The process that bundles one plugin, and the bounds of its input and reply. */
export const BUNDLER = {
  /** Concurrent bundler processes, each with its own esbuild; further bundles are queued. */
  atOnce: 2,
  /**
   * JavaScript heap of the bundler, in mebibytes: it holds the syntax tree of a full-sized bundle when SES would refuse
   * its text.
   */
  heapMb: 768,
  /** Go heap above which esbuild collects garbage more often, in mebibytes: soft. */
  esbuildMb: 512,
  /** Writable memory of each of the two processes, in mebibytes: hard, where the system has RLIMIT_DATA. */
  dataMb: 1280,
  /** Bytes of the bundler's standard error that are kept for the message. */
  stderrBytes: 16_384,
  /** Bytes of a bundle's source map. */
  mapBytes: 16_777_216,
  /** Bytes of a reply's header: outcome, message, list of files. */
  headerBytes: 4_194_304,
  /** How long to wait for the pipes of a killed bundler to close, in milliseconds. */
  reapMs: 2_000,
  /** Delay after a bundle before the next bundler process is started, and how long it is kept unused, in milliseconds. */
  afterMs: 200,
  aheadMs: 30_000,
  /** Deadline for bundling one plugin, in milliseconds. */
  bundleMs: 15_000,
  /** Bytes of one input file of a bundle, of all input files, and of the output. */
  fileBytes: 1_048_576,
  inputBytes: 16_777_216,
  outputBytes: 8_388_608,
  files: 4000,
} as const;
