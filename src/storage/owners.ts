/**
 * Records which plugin made the networks of a type, so that replay does not hand them to another plugin that declares the same
 * type.
 */
import type { StateFile } from "./state-file.js";

/** Owners by network type. Reads are synchronous; a write resolves when it is flushed. */
export interface TypeOwners {
  /** Returns the plugin that last registered the type; undefined if none is known. */
  of(type: string): string | undefined;
  /** Rejects with `ERR_JOURNAL_FAILED`. */
  set(type: string, plugin: string): Promise<void>;
}

/** For hosts without a data folder. */
export class MemoryOwners implements TypeOwners {
  readonly #owners: Map<string, string>;

  constructor(owners: Iterable<readonly [type: string, plugin: string]> = []) {
    this.#owners = new Map(owners);
  }

  of(type: string): string | undefined {
    return this.#owners.get(type);
  }

  async set(type: string, plugin: string): Promise<void> {
    this.#owners.set(type, plugin);
  }
}

/** Prefix of the type's name in the key of its row in `meta`. */
const KEY = "owner/";

export class StateOwners extends MemoryOwners {
  readonly #state: StateFile;

  private constructor(state: StateFile, owners: Iterable<readonly [string, string]>) {
    super(owners);
    this.#state = state;
  }

  /**
   * Reads the data folder's rows. A folder of an earlier version has none: a type then belongs to the plugin known to have
   * run with it, if there is only one.
   */
  static async open(state: StateFile): Promise<StateOwners> {
    const written = (await state.rows("meta")).flatMap(({ key, body }): [string, string][] => {
      const name = key.toString();
      return name.startsWith(KEY) ? [[name.slice(KEY.length), JSON.parse(body) as string]] : [];
    });
    const ran = new Map<string, string[]>();
    for (const { body } of await state.rows("bundles")) {
      const { id, types } = JSON.parse(body) as { readonly id: string; readonly types: readonly string[] };
      for (const type of types) ran.set(type, [...(ran.get(type) ?? []), id]);
    }
    const alone = [...ran].flatMap(([type, [id, ...others]]): [string, string][] =>
      id !== undefined && others.length === 0 ? [[type, id]] : [],
    );
    return new StateOwners(state, [...alone, ...written]);
  }

  override async set(type: string, plugin: string): Promise<void> {
    if (this.of(type) !== plugin || !this.#written.has(type)) {
      await this.#state.put("meta", Buffer.from(KEY + type), JSON.stringify(plugin));
      this.#written.add(type);
    }
    await super.set(type, plugin);
  }

  /** Types whose row is up to date. */
  readonly #written = new Set<string>();
}
