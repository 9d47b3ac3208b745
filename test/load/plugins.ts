/** The plugins that are measured, as their authors would write them. */
import { plugin } from "../kit/plugins.js";
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
  return plugin(type, {
    top,
    start: init,
    methods: `createEndpoint(nid, eid, epInfo) { epInfo.addInterface(0, ${JSON.stringify(ANSWER.mac)}, ${JSON.stringify(ANSWER.ipv4)}, ""); },
    join(nid, eid, key, info) { info.interfaceNames()[0].setNames("load0", "eth"); info.setGateway("10.1.0.1"); },
    ${methods}`,
  });
}

/** An engine gives the interface: the driver takes it as it is. */
export const TAKES_GIVEN: string = driverSource({
  methods: "createEndpoint(nid, eid, epInfo) { epInfo.interfaces(); },",
});
