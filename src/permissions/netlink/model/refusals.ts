/** A failure of the model, in the kernel's words. */
export class KernelRefusal extends Error {}

/** How `ip` says that there is no such link. */
export const NO_DEVICE = "Cannot find device";
