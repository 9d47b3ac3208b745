/** The plugins that are measured, as their authors would write them. */
import { ANSWER } from "./peers/peer.js";

export interface DriverSource {
  /** The network type, and the plugin's id. */
  readonly type?: string;
  /** Code ahead of `init`. */
  readonly top?: string;
  /** The first lines of `init`. */
  readonly init?: string;
  /** Methods in place of the plain ones. */
  readonly methods?: string;
}

/** Makes one interface per endpoint, and names it at `join`. */
export function driverSource({ type = "load", top = "", init = "", methods = "" }: DriverSource = {}): string {
  return `${top}
export async function init(callback, powers) {
  ${init}
  await callback.registerDriver("${type}", {
    type: () => "${type}", config() {}, createNetwork() {}, deleteNetwork() {},
    createEndpoint(nid, eid, epInfo) { epInfo.addInterface(0, ${JSON.stringify(ANSWER.mac)}, ${JSON.stringify(ANSWER.ipv4)}, ""); },
    deleteEndpoint() {}, endpointOperInfo() { return {}; },
    join(nid, eid, key, info) { info.interfaceNames()[0].setNames("load0", "eth"); info.setGateway("10.1.0.1"); },
    leave() {},
    ${methods}
  }, { scope: "local" });
}
`;
}

/** An engine gives the interface: the driver takes it as it is. */
export const TAKES_GIVEN: string = driverSource({
  methods: "createEndpoint(nid, eid, epInfo) { epInfo.interfaces(); },",
});
