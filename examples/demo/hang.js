/** A driver that misbehaves on request, for the demonstration: `{ spin: true }` never returns, `{ crash: true }` throws where nobody catches. */
export async function init(callback) {
  const networks = new Set();
  await callback.registerDriver(
    "hang",
    {
      type: () => "hang",
      config() {},
      createNetwork(nid, options, ctx) {
        // A restarted driver is given its networks again, with the options they had: once is enough.
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
