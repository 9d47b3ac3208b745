/** An attachment is of one namespace: neither a late removal nor a late end of its making touches another one. */
import { type Attachment, attachmentId } from "#dist/attachments/attachment.js";
import { type AttachmentHost, Attachments } from "#dist/attachments/attachments.js";
import { DriverError } from "#dist/index.js";
import { assert, rejection, suite } from "../harness.js";
import { SILENT } from "../kit/logger.js";

const test = suite("attachments/namespaces");
const KEY = { platform: "podman", network: "n", container: "c", interface: "eth0" } as const;

function hostWith(rows: readonly Attachment[], more: object): AttachmentHost {
  const kept = { load: async () => new Map(rows.map((row) => [attachmentId(row), row])), write() {} };
  return { kept: () => kept, elsewhere: { set() {} }, hostEnd: () => "", ...more } as unknown as AttachmentHost;
}

test("a removal that names a namespace leaves the container's next start alone", async () => {
  const row: Attachment = {
    ...{ ...KEY, type: "gone", nid: "1", eid: "e", netns: "/run/netns/b", namespace: "b", phase: "live", links: [] },
    ...{ gateway: "", gatewayIPv6: "", routes: [], ports: [], publishes: false },
  };
  const driver = (): never => {
    throw new DriverError("ERR_DRIVER_NOT_FOUND", "gone");
  };
  const attachments = await Attachments.open(hostWith([row], { driver }), SILENT);
  assert.is(await attachments.detach(KEY, "a"), true);
  assert.is(attachments.list().length, 1);
  assert.is(await attachments.detach(KEY, "b"), true);
  assert.is(attachments.list().length, 0);
});

test("a namespace that is another one when all is made is not attached", async () => {
  let now = "a";
  const driver = { createNetwork: async () => {}, createEndpoint: async () => {}, join: async () => {} };
  const sandboxes = {
    identify: () => "a",
    namespaceId: () => now,
    async attach() {
      now = "b";
      return { links: [] };
    },
  };
  const view = { plugin: "p", external: false, network: () => undefined, returned: async () => {} };
  const host = hostWith([], { driver: () => ({ driver }), view: () => view, sandboxes });
  const attachments = await Attachments.open(host, SILENT);
  const network = { name: "n", type: "t", options: {}, pools: [], internal: false };
  const error = await rejection(attachments.attach({ ...KEY, network, netns: "/run/netns/one" }));
  assert.is(error.code, "ERR_SANDBOX_FAILED");
  assert.match(error.message, /another namespace took its place/);
  assert.equal(attachments.list(), []);
});

test.run();
