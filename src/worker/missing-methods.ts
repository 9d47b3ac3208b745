/** Adds methods to built-in objects where the engine lacks them. */

export type Method = (this: never, ...args: never[]) => unknown;

/** Adds each method that `object` does not have, with the attributes of a built-in one. */
export function addMethods(object: object, methods: Readonly<Record<string, Method>>): void {
  for (const [name, value] of Object.entries(methods))
    if (!Object.hasOwn(object, name))
      Object.defineProperty(object, name, { value, writable: true, enumerable: false, configurable: true });
}
