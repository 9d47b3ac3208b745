/** The sentences of libnetwork's driverapi.go that the contract's rules come from, verbatim. */
export const SEED = {
  driver: "Driver is an interface that every plugin driver needs to implement.",
  register:
    "RegisterDriver provides a way for Remote drivers to dynamically register new NetworkType and associate with a driver instance",
  type: "Type returns the the type of this driver, the network type this driver manages",
  config: "Push driver specific config to the driver",
  createNetwork:
    "CreateNetwork invokes the driver method to create a network passing the network id and network specific config.",
  deleteNetwork: "DeleteNetwork invokes the driver method to delete network passing the network id.",
  createEndpoint:
    "CreateEndpoint invokes the driver method to create an endpoint passing the network id, endpoint id endpoint information and driver specific config.",
  deleteEndpoint:
    "DeleteEndpoint invokes the driver method to delete an endpoint passing the network id and endpoint id.",
  endpointOperInfo: "EndpointOperInfo retrieves from the driver the operational data related to the specified endpoint",
  join: "Join method is invoked when a Sandbox is attached to an endpoint.",
  leave: "Leave method is invoked when a Sandbox detaches from an endpoint.",
  given: "If the list is not empty the driver is only expected to consume the interfaces.",
  addToGiven: "It is an error to try to add interfaces to a non-empty list.",
  populate: "If the list is empty the driver is expected to populate with 0 or more interfaces.",
  interfaceId:
    "ID field need only have significance within the endpoint so it can be a simple monotonically increasing number",
  address: "Address returns the IPv4 address.",
  setNames: "SetNames method assigns the srcName and dstPrefix for the interface.",
  nameId: "ID returns the numerical id that was assigned to the interface by the driver CreateEndpoint.",
  gateway: "SetGateway sets the default IPv4 gateway when a container joins the endpoint.",
  program:
    "ProgramExternalConnectivity invokes the driver method which does the necessary programming to allow the external connectivity dictated by the passed options",
  revoke:
    "RevokeExternalConnectivity asks the driver to remove any external connectivity programming that was done so far",
} as const;
