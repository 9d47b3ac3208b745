/**
 * Every error code of Bulkhead, with libnetwork's kind and when it occurs. A test compares the table in this folder's README.md with
 * this one, and checks that no page names another code.
 */

/** One row per code. */
export const ERROR_CODES = {
  // The contract: arguments
  ERR_BAD_ID: { kind: "BadRequest", when: "an id is empty, not a string, or over 256 bytes", driver: true },
  ERR_BAD_OPTIONS: {
    kind: "BadRequest",
    when: "a call's options are not a plain JSON object, too large, or use a reserved key; or its last argument has an unknown option",
    driver: true,
  },
  ERR_BAD_MAC: { kind: "BadRequest", when: "a MAC address does not parse", driver: true },
  ERR_BAD_ADDRESS: { kind: "BadRequest", when: "an IP address or CIDR does not parse", driver: true },
  ERR_ADDRESS_FAMILY: {
    kind: "BadRequest",
    when: "an IPv6 address is given where IPv4 is expected, or the reverse",
    driver: true,
  },
  ERR_INTERFACE_ID: {
    kind: "BadRequest",
    when: "an interface id is not a non-negative integer, or does not belong to the endpoint",
    driver: true,
  },
  ERR_INTERFACE_EXISTS: { kind: "Forbidden", when: "an interface id is used twice on one endpoint", driver: true },
  ERR_INTERFACES_GIVEN: {
    kind: "Forbidden",
    when: "an interface is added to an endpoint whose list was given",
    driver: true,
  },
  ERR_INTERFACE_NAME: {
    kind: "BadRequest",
    when: "a srcName or dstPrefix, or the name that a platform wants in a sandbox, is not a valid interface name, or is taken",
    driver: true,
  },
  ERR_ROUTE_TYPE: { kind: "BadRequest", when: "a static route's type is neither NEXTHOP nor CONNECTED", driver: true },
  ERR_ROUTE_HOST_BITS: { kind: "BadRequest", when: "a route's destination has host bits set", driver: true },
  ERR_ROUTE_INTERFACE: {
    kind: "BadRequest",
    when: "a CONNECTED route names an interface that does not exist",
    driver: true,
  },
  ERR_ROUTE_NEXTHOP: {
    kind: "BadRequest",
    when: "a NEXTHOP route has no next hop, or a CONNECTED one has one",
    driver: true,
  },
  // The contract: existence and order
  ERR_NETWORK_NOT_FOUND: { kind: "NotFound", when: "the network id is not known", driver: true },
  ERR_ENDPOINT_NOT_FOUND: { kind: "NotFound", when: "the endpoint id is not known", driver: true },
  ERR_NETWORK_EXISTS: { kind: "Forbidden", when: "the network id is already in use", driver: true },
  ERR_ENDPOINT_EXISTS: { kind: "Forbidden", when: "the endpoint id is already in use", driver: true },
  ERR_NETWORK_IN_USE: { kind: "Forbidden", when: "the network still has endpoints", driver: true },
  ERR_ENDPOINT_IN_USE: { kind: "Forbidden", when: "the endpoint is still joined to a sandbox", driver: true },
  ERR_ENDPOINT_JOINED: { kind: "Forbidden", when: "the endpoint is already joined to a sandbox", driver: true },
  ERR_ENDPOINT_NOT_JOINED: {
    kind: "Forbidden",
    when: "the endpoint is not joined to a sandbox",
    maskable: true,
    driver: true,
  },
  // Calls
  ERR_DRIVER_FAILED: { kind: "Internal", when: "the driver threw" },
  ERR_DRIVER_REPLY: {
    kind: "Internal",
    when: "the driver answered with something the contract does not allow; rolled back",
  },
  ERR_DRIVER_TIMEOUT: { kind: "Timeout", when: "the call's deadline passed" },
  ERR_DRIVER_BUSY: {
    kind: "Timeout",
    when: "the call never started, because another one held the worker or its id",
    retry: true,
  },
  ERR_OUTCOME_UNKNOWN: { kind: "Internal", when: "the worker ended while the call was in flight", retry: true },
  ERR_REPLAY_FAILED: { kind: "Internal", when: "the network could not be restored in a restarted driver" },
  ERR_CALL_ABORTED: { kind: "Timeout", when: "the caller's AbortSignal fired; its reason is the cause" },
  ERR_HOST_CLOSED: { kind: "NoService", when: "the host is closing or closed" },
  ERR_DRIVER_NOT_FOUND: { kind: "NotFound", when: "no driver of that network type is registered" },
  ERR_PLUGIN_UNAVAILABLE: {
    kind: "NoService",
    when: "the plugin crashed too often, or no plugin serves a journalled type",
  },
  // Registration
  ERR_TYPE_NAME: { kind: "BadRequest", when: "a network type's name is empty, dotted, reserved or too long" },
  ERR_DRIVER_SHAPE: {
    kind: "BadRequest",
    when: "a driver lacks one of the nine methods or one of the optional two, or type() differs from its name",
  },
  ERR_BAD_CAPABILITY: {
    kind: "BadRequest",
    when: "a driver's capability is missing, or its scope is neither local nor global",
  },
  ERR_DRIVER_EXISTS: { kind: "Forbidden", when: "a driver of that network type is already registered" },
  ERR_TYPE_OWNED: {
    kind: "Forbidden",
    when: "the network type has networks that another plugin made; `bulkhead grant ID --take-type TYPE` hands them over",
  },
  ERR_SCOPE_NOT_GRANTED: { kind: "Forbidden", when: "a driver asks for a scope above its plugin's grant" },
  ERR_TYPE_NOT_DECLARED: { kind: "Forbidden", when: "a driver's network type is not in the manifest's networkTypes" },
  ERR_DRIVER_LIMIT: { kind: "Forbidden", when: "the plugin registers more drivers than limits.drivers" },
  ERR_CALLBACK_REFUSED: { kind: "Forbidden", when: "the platform's DriverCallback refused the driver" },
  ERR_CONFIG_FAILED: { kind: "Internal", when: "the driver's config() failed; its registration is undone" },
  // Plugins: files, manifest, policy
  ERR_PLUGIN_NAME: { kind: "BadRequest", when: "a plugin's id does not match [a-z][a-z0-9-]{0,31}" },
  ERR_PLUGIN_DUPLICATE: { kind: "Forbidden", when: "two plugins have the same id" },
  ERR_PLUGIN_FILE: {
    kind: "BadRequest",
    when: "a plugin's file is missing, empty, binary, a link, or of no known kind",
  },
  ERR_PLUGIN_SIZE: { kind: "BadRequest", when: "a plugin's file or bundle is over its size limit" },
  ERR_PLUGIN_SYNTAX: { kind: "BadRequest", when: "a plugin's code does not parse, or uses syntax the sandbox refuses" },
  ERR_PLUGIN_IMPORT: { kind: "Forbidden", when: "an import does not resolve, or leaves the plugin's folder" },
  ERR_BUNDLE_FAILED: { kind: "Internal", when: "the bundler ran out of time or memory, or crashed on the plugin" },
  ERR_PLUGIN_CHANGED: { kind: "Forbidden", when: "the plugin's bytes differ from the sha256 its policy pins" },
  ERR_MANIFEST_MISSING: { kind: "BadRequest", when: "a plugin folder has no plugin.json" },
  ERR_MANIFEST_INVALID: { kind: "BadRequest", when: "a manifest is not valid JSON, or has a wrong or unknown field" },
  ERR_GRANT_MISSING: { kind: "Forbidden", when: "a plugin asks for more than its policy grants" },
  ERR_POLICY_INVALID: { kind: "BadRequest", when: "the policy is not valid JSON, or has a wrong or unknown field" },
  ERR_POLICY_LOCKED: { kind: "Forbidden", when: "another command is changing the policy", retry: true },
  ERR_ISOLATION_UNAVAILABLE: {
    kind: "NotImplemented",
    when: "the isolation or the wall that is demanded cannot be raised here",
  },
  ERR_BUNDLED: {
    kind: "NotImplemented",
    when: "the platform's bundle has taken Bulkhead's code away from the files that its workers are started from",
  },
  ERR_OPTIONS: {
    kind: "BadRequest",
    when: "createPluginHost, a method of its host or a function of bulkhead/testing was given a wrong or unknown option",
  },
  ERR_DATA_DIR: {
    kind: "BadRequest",
    when: "the data folder cannot be made, read or written, or is of another version",
  },
  ERR_DATA_LOCKED: { kind: "Forbidden", when: "another host uses the data folder; the message names its process" },
  ERR_JOURNAL_CORRUPT: {
    kind: "Internal",
    when: "a file of the data folder is damaged; the message names it and the command that recovers what can be read",
  },
  ERR_JOURNAL_FAILED: {
    kind: "Internal",
    when: "a write to the data folder failed, or was not done by the call's deadline",
  },
  ERR_STORAGE_FULL: {
    kind: "NoService",
    when: "the data folder's file system is full; deletions still work, and the rest does once there is space",
    retry: true,
  },
  ERR_PLUGINS_DIR: { kind: "BadRequest", when: "a plugins folder does not exist or cannot be read" },
  ERR_PLUGIN_NOT_FOUND: { kind: "NotFound", when: "no plugin has that id" },
  ERR_PLUGIN_IN_USE: { kind: "Forbidden", when: "the plugin still has networks" },
  // Plugins: running
  ERR_PLUGIN_LOAD: { kind: "Internal", when: "the plugin's code threw while it was evaluated" },
  ERR_PLUGIN_NO_INIT: { kind: "BadRequest", when: "the plugin exports no function by the name init" },
  ERR_PLUGIN_INIT: { kind: "Internal", when: "init threw" },
  ERR_PLUGIN_INIT_TIMEOUT: {
    kind: "Timeout",
    when: "init did not return by its deadline; the message says whether it waits, blocks, or was never reached",
    killed: true,
  },
  ERR_PLUGIN_NO_DRIVER: { kind: "BadRequest", when: "init returned and no driver was registered" },
  ERR_PLUGIN_START: { kind: "Internal", when: "no worker became ready for the plugin by the deadline" },
  ERR_PLUGIN_CRASHED: { kind: "Internal", when: "the plugin's worker ended: a stray throw or rejection, or an exit" },
  ERR_PLUGIN_MEMORY: { kind: "Internal", when: "the plugin's worker ran out of its memory class", killed: true },
  ERR_PLUGIN_CPU: {
    kind: "Forbidden",
    when: "the plugin used more of the processor than limits.cpuPercent, and was terminated",
    killed: true,
  },
  ERR_PLUGIN_HOST_TIME: {
    kind: "Forbidden",
    when: "the plugin's requests used more than its share of the host's own thread; they are delayed",
  },
  ERR_HOST_PROCESS: { kind: "Internal", when: "the host process that held the plugin's worker ended" },
  ERR_PLUGIN_BLOCKED: {
    kind: "Timeout",
    when: "the plugin blocked its worker past what is allowed, and was terminated",
    killed: true,
  },
  ERR_PLUGIN_STOPPED: { kind: "NoService", when: "the plugin was stopped by the platform, the policy or an operator" },
  ERR_PLUGIN_QUARANTINED: { kind: "NoService", when: "an operator has quarantined the plugin" },
  // The command line
  ERR_USAGE: { kind: "BadRequest", when: "the bulkhead command was called with wrong arguments" },
  ERR_CONTRACT_BROKEN: { kind: "Internal", when: "`bulkhead test` found that a driver breaks rules of the contract" },
  ERR_INTERNAL: {
    kind: "Internal",
    when: "a bulkhead command failed by a fault of its own; without --json its stack is printed instead",
  },
  // The wire
  ERR_PROTOCOL: {
    kind: "Internal",
    when: "a worker sent a frame that no honest worker sends, and was terminated",
    killed: true,
  },
  ERR_PROTOCOL_VERSION: { kind: "Internal", when: "a worker speaks another protocol or runtime version", killed: true },
  ERR_FLOOD: { kind: "Forbidden", when: "a worker sent more than its link allows, and was terminated", killed: true },
  // Powers
  ERR_PERMISSION_ARGUMENT: { kind: "BadRequest", when: "a power was called with a wrong argument" },
  ERR_PERMISSION_LIMIT: { kind: "Forbidden", when: "a power's limit is reached" },
  ERR_PERMISSION_REVOKED: {
    kind: "Forbidden",
    when: "a power was called whose permission the operator has revoked while the plugin ran",
  },
  ERR_PERMISSION_FAILED: { kind: "Internal", when: "a power failed on the host's side" },
  ERR_NETLINK_REFUSED: {
    kind: "Forbidden",
    when: "a netlink request is outside its grant; the message names the rule and the value",
    driver: true,
  },
  ERR_NETLINK_FAILED: {
    kind: "Internal",
    when: "the kernel refused a netlink request; the message holds its words",
    driver: true,
  },
  ERR_FIREWALL_REFUSED: {
    kind: "Forbidden",
    when: "a firewall request is outside its grant; the message names the rule and the value",
    driver: true,
  },
  ERR_FIREWALL_FAILED: {
    kind: "Internal",
    when: "nftables refused a firewall request, or is not there; the message holds its words",
    driver: true,
  },
  ERR_RESOLVER_REFUSED: {
    kind: "Forbidden",
    when: "a resolver request is outside its grant; the message names the rule and the value",
    driver: true,
  },
  ERR_RESOLVER_FAILED: {
    kind: "Internal",
    when: "a socket for name queries cannot be opened, or a name server does not reply; the message holds the system's code",
    driver: true,
  },
  ERR_TRAFFIC_REFUSED: {
    kind: "Forbidden",
    when: "a traffic request is outside its grant, or asks for what the kernel lacks; the message names the rule and the value",
    driver: true,
  },
  ERR_TRAFFIC_FAILED: {
    kind: "Internal",
    when: "the kernel refused to shape a link; the message holds the words of tc",
    driver: true,
  },
  ERR_CLUSTER_REFUSED: {
    kind: "Forbidden",
    when: "a cluster request is outside its grant; the message names the rule and the value",
    driver: true,
  },
  ERR_CLUSTER_FAILED: {
    kind: "NoService",
    when: "the store that hosts share cannot be reached, or refused a request; nothing was changed",
    driver: true,
  },
  ERR_CLUSTER_UNKNOWN: {
    kind: "Timeout",
    when: "the store that hosts share did not confirm a write: it may have happened, or may happen yet",
    driver: true,
  },
  ERR_CLUSTER_FENCE: {
    kind: "Forbidden",
    when: "`bulkhead cluster fence` was asked to fence a host that is alive, and not told `--force`, or no plugin of this host shares state",
  },
  // Docker
  ERR_DOCKER_REQUEST: {
    kind: "BadRequest",
    when: "a request of Docker's plugin protocol does not parse; the message names the field",
  },
  ERR_DOCKER_BUSY: { kind: "NoService", when: "too many requests of one network type are under way", retry: true },
  ERR_DOCKER_SOCKET: { kind: "Internal", when: "a plugin socket cannot be created, or another process serves it" },
  // The control socket
  ERR_CONTROL_REQUEST: {
    kind: "BadRequest",
    when: "a request to the control socket is not part of the API, or does not parse; `field` names what is wrong",
  },
  ERR_CONTROL_BUSY: {
    kind: "NoService",
    when: "too many clients follow the events of a control socket, too many requests go through it, or the plugin is watched already",
    retry: true,
  },
  ERR_CONTROL_SOCKET: {
    kind: "Internal",
    when: "a control socket cannot be created, its path is too long, or another process serves it",
  },
  ERR_EVENT_NOT_FOUND: {
    kind: "NotFound",
    when: "`bulkhead logs` or `events` was asked for what came after an event that the running host did not have",
  },
  ERR_NO_DAEMON: { kind: "NoService", when: "a command found no running host behind its control socket" },
  // Profiles
  ERR_PROFILE_UNAVAILABLE: {
    kind: "NotImplemented",
    when: "this version of Node cannot profile a worker behind its permission flags: `bulkhead profile` needs Node 24.8, `heap` 24.9",
  },
  ERR_PROFILE_FAILED: {
    kind: "Internal",
    when: "no profile was taken: no worker, or it ended; another one is under way; or what came is late, invalid or too large",
  },
  // Other platforms
  ERR_EXECUTABLE: {
    kind: "Internal",
    when: "an executable for another platform cannot be written: its folder is missing, or another program's file is in its place",
  },
  // Sandboxes
  ERR_SANDBOX_NOT_FOUND: {
    kind: "NotFound",
    when: "a sandbox's network namespace does not exist, or the path is not one",
  },
  ERR_ATTACHMENT_NOT_FOUND: {
    kind: "NotFound",
    when: "a container of another platform is not attached to that network through that interface",
  },
  ERR_ATTACHMENT_BROKEN: {
    kind: "Internal",
    when: "a container's namespace, link or address is not as it was attached; the message names it",
  },
  ERR_SANDBOX_ATTACHED: { kind: "Forbidden", when: "the endpoint's sandbox, or the container, is attached already" },
  ERR_SANDBOX_FAILED: {
    kind: "Internal",
    when: "a sandbox could not be attached or detached; the message names the step, and what was done is undone",
  },
} as const;

/** A stable error code. */
export type ErrorCode = keyof typeof ERROR_CODES;
