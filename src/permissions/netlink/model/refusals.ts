/** A failure of the model, in the kernel's words. */
export class KernelRefusal extends Error {}

/** The beginning of `ip`'s message about a link that does not exist. */
export const NO_DEVICE = "Cannot find device";
