/** A driver for the demo that misbehaves on request: `{ spin: true }` never returns, `{ crash: true }` throws outside any call. */
export async function init(callback) {
  const networks = new Set();
  await callback.registerDriver(
    "hang",
    {
      type: () => "hang",
      config() {},
      createNetwork(nid, options, ctx) {
        // A replay repeats the options; the driver misbehaves only once.
        if (options.spin && !ctx.replay) for (;;);
        if (options.crash && !ctx.replay) setTimeout(() => fail("nobody catches this"), 1);
        networks.add(nid);
      },
      deleteNetwork(nid) {
        networks.delete(nid);
      },
      createEndpoint(_nid, _eid, epInfo) {
        if (epInfo.interfaces().length === 0) epInfo.addInterface(0, "", "10.98.0.2/24", "");
      },
      deleteEndpoint() {},
      endpointOperInfo(nid) {
        return { known: networks.has(nid), networks: networks.size };
      },
      join() {},
      leave() {},
    },
    { scope: "local" },
  );
}

function fail(message) {
  throw new Error(message);
}
