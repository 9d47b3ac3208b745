/** Holds calls until a driver is in service, or rejects them while it is not. */
import type { DriverError } from "../../driverapi/errors.js";

/** `closed`: calls wait; `refusing`: they are rejected at once with the error that `refusal` creates. */
type State<T> =
  | { readonly is: "open"; readonly value: T }
  | { readonly is: "closed" }
  | { readonly is: "refusing"; readonly refusal: () => DriverError };

export class Gate<T> {
  #state: State<T> = { is: "closed" };
  readonly #waiting = new Set<{ resolve(value: T): void; reject(error: DriverError): void }>();

  /** The value behind an open gate; undefined while closed. Throws the refusal while it refuses. */
  get current(): T | undefined {
    if (this.#state.is === "refusing") throw this.#state.refusal();
    return this.#state.is === "open" ? this.#state.value : undefined;
  }

  get refuses(): boolean {
    return this.#state.is === "refusing";
  }

  /** The same, but undefined while it refuses. */
  get opened(): T | undefined {
    return this.#state.is === "open" ? this.#state.value : undefined;
  }

  open(value: T): void {
    this.#state = { is: "open", value };
    for (const one of this.#waiting) one.resolve(value);
    this.#waiting.clear();
  }

  close(): void {
    this.#state = { is: "closed" };
  }

  refuse(refusal: () => DriverError): void {
    this.#state = { is: "refusing", refusal };
    for (const one of this.#waiting) one.reject(refusal());
    this.#waiting.clear();
  }

  /** Waits for the next opening; `cancel` removes the waiter. */
  wait(resolve: (value: T) => void, reject: (error: DriverError) => void): { cancel(): void } {
    const one = { resolve, reject };
    this.#waiting.add(one);
    return { cancel: () => this.#waiting.delete(one) };
  }

  get waiting(): number {
    return this.#waiting.size;
  }
}
