/**
 * The "null" network, as libnetwork has it: a sandbox on it is given nothing, and so has only its loopback interface.
 * There is one such network, it cannot be deleted, and nothing is ever done for an endpoint.
 */
import { type Driver, type DriverCallback, LocalScope } from "bulkhead/plugin";

const networkType = "null";

export async function init(callback: DriverCallback): Promise<void> {
  let network: string | undefined;

  const driver: Driver = {
    type: () => networkType,
    config() {},

    createNetwork(nid) {
      // The same id again is the host restoring what it knows, never a second network: those it refuses itself.
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
