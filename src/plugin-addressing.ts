/** What a plugin author imports as `bulkhead/plugin/addressing`. It is bundled into the plugin that uses it. */
export {
  type Address,
  type CIDR,
  type Family,
  formatAddress,
  formatCIDR,
  networkOf,
  parseAddress,
  parseCIDR,
} from "./addressing/address.js";
export { BridgeLinks, type BridgePlan, type PairPlan } from "./addressing/bridge-links.js";
export {
  type EndpointAddresses,
  freeAddresses,
  refuseOverlap,
  type TakenInterface,
  takeAddresses,
} from "./addressing/endpoint-addresses.js";
export { endpointKey, storeKey } from "./addressing/hash.js";
export { LinkNames, type NameStore } from "./addressing/link-names.js";
export { macFor } from "./addressing/mac.js";
export { Pool } from "./addressing/pool.js";
export { readEndpointShape, readNetworkShape, SHAPE_OPTIONS, Shaping } from "./addressing/shaping.js";
export { isHost, overlap, parseSubnet, type Subnet, type SubnetOptions } from "./addressing/subnet.js";
export { genericOptions, readSubnets, SUBNET_KEYS } from "./addressing/subnet-options.js";
export { together } from "./addressing/together.js";
