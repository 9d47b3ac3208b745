/** Loaded before zod: records which of its globals exist already, created by the platform's own zod. */
export const ZOD_GLOBALS: readonly string[] = ["__zod_globalConfig", "__zod_globalRegistry"].filter(
  (name) => !Object.hasOwn(globalThis, name),
);
