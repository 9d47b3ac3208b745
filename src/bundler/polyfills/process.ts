/** The part of `process` that Node's pure modules read: no environment, no access to the machine. */

const nothing = (): object => stub;

/** Runs a function after the current one, before timers. */
function nextTick(callback: (...args: unknown[]) => unknown, ...args: unknown[]): void {
  void Promise.resolve().then(() => {
    callback(...args);
  });
}

function refuse(what: string): () => never {
  return () => {
    throw new Error(`process.${what} does not exist in the sandbox`);
  };
}

const stub: object = {
  title: "bulkhead",
  browser: true,
  env: { NODE_ENV: "production" },
  argv: [],
  execArgv: [],
  version: "",
  versions: {},
  platform: "linux",
  arch: "",
  pid: 0,
  nextTick,
  on: nothing,
  once: nothing,
  off: nothing,
  addListener: nothing,
  removeListener: nothing,
  emit: () => false,
  emitWarning: () => {},
  listeners: () => [],
  cwd: () => "/",
  chdir: refuse("chdir"),
  exit: refuse("exit"),
  binding: refuse("binding"),
};

export default stub;
