/**
 * The "null" network of libnetwork, which cannot be deleted: a sandbox on it has only its loopback interface. The code is that of
 * `host`, repeated since a plugin loads only files of its own folder.
 */
import { type Driver, type DriverCallback, LocalScope } from "bulkhead/plugin";

const networkType = "null";

export async function init(callback: DriverCallback): Promise<void> {
  let network: string | undefined;

  const driver: Driver = {
    type: () => networkType,
    config() {},

    createNetwork(nid) {
      // The same id comes again in a replay. The host itself refuses to create a network that exists.
      if (network !== undefined && network !== nid) {
        throw forbidden(`only one instance of "${networkType}" network is allowed`);
      }
      network = nid;
    },
    deleteNetwork() {
      throw forbidden(`network of type "${networkType}" cannot be deleted`);
    },

    createEndpoint() {},
    deleteEndpoint() {},
    endpointOperInfo: () => ({}),

    join() {},
    leave() {},
  };
  await callback.registerDriver(networkType, driver, { scope: LocalScope });
}

/** libnetwork's `types.ForbiddenErrorf`. */
function forbidden(message: string): Error {
  return Object.assign(new Error(message), { kind: "Forbidden" });
}
