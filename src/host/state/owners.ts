/** Which plugin made the networks of a type: another that declares the type must not be replayed them, with their options. */
import type { StateFile } from "./state-file.js";

/** Owners by network type. Read at once; a write resolves when it outlives the machine. */
export interface TypeOwners {
  /** The plugin that last registered the type; undefined: none is known. */
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

/** Before the type's name in the key of its row in `meta`. */
const KEY = "owner/";

export class StateOwners extends MemoryOwners {
  readonly #state: StateFile;

  private constructor(state: StateFile, owners: Iterable<readonly [string, string]>) {
    super(owners);
    this.#state = state;
  }

  /**
   * Reads the data folder's rows. A folder of an earlier version has none: there the plugin that is known to have run with the type
   * owns it, if it is the only one.
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

  /** Types whose row says what is known here. */
  readonly #written = new Set<string>();
}
