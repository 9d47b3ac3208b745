/** Loaded ahead of zod: which of the globals it makes are there already, made by the platform's own zod. */
export const ZOD_GLOBALS: readonly string[] = ["__zod_globalConfig", "__zod_globalRegistry"].filter(
  (name) => !Object.hasOwn(globalThis, name),
);
