/** The netlink permission: runs of `ip`, and the requests that wait for them. */
export const NETLINK = {
  /** One run of `ip`, in milliseconds. */
  runMs: 10_000,
  /** Listings by one standing `ip`, which remembers the name of every link that it has seen. */
  standingRuns: 1000,
  /** A standing `ip` ends after this long without work, in milliseconds. */
  standingIdleMs: 60_000,
  /** Output of one run, in bytes: a listing of some ten thousand links. */
  outputBytes: 67_108_864,
  /** Requests of one plugin that go into one run; the rest give way to other plugins. */
  batchPerPlugin: 64,
  /** Addresses that `createLink` gives a link at once. */
  firstAddresses: 16,
  /** Remote hosts of one vxlan. */
  remotesPerLink: 1024,
  /** Networks behind one remote host. */
  routesPerRemote: 4,
  /** Requests of one plugin that may wait. */
  waiting: 1024,
} as const;
