/** Functions of `node:util` that its copy lacks. */

/** Removes ANSI escape codes. */
export function stripVTControlCharacters(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it is about.
  return text.replace(/[\u001b\u009b][[\]()#;?]*(?:\d{1,4}(?:;\d{0,4})*)?[\dA-PR-TZcf-nq-uy=><~]/g, "");
}

export function toUSVString(text: string): string {
  return text.replace(/\p{Surrogate}/gu, "\ufffd");
}

/** Logs nothing, since plugins have no NODE_DEBUG. */
export function debuglog(): (...args: unknown[]) => void {
  return Object.assign(() => {}, { enabled: false });
}

/** Returns the function itself: a plugin has no warnings. */
export function deprecate<T>(body: T): T {
  return body;
}

export function aborted(signal: {
  addEventListener(type: string, listener: () => void): void;
  aborted: boolean;
}): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve());
  });
}
