#!/usr/bin/env bash
# Good guess: a DNS library that decodes a message and encodes what it decoded makes the same message. Labels may hold any byte (RFC 2181,
# 11); service instances have dots in theirs ("Printer 2.OG._ipp._tcp.local", RFC 6763, 4.1.1), and other libraries write them as `\.`.
# Wrong: dns-packet joins labels with "." and escapes nothing, so the label "Printer 2.OG" comes out as two. Nothing throws; the name that is
# asked for next is another one, which does not exist.
# Users meet it when they browse services with mDNS: the instances whose name has a dot are listed and never resolve.
# dns-packet 5.6.1.
set -euo pipefail
cd "$(dirname "$0")/.."
[ -d node_modules/dns-packet ] || { echo "needs the package dns-packet (npm ci)"; exit 1; }
node --input-type=module -e '
  import packet from "dns-packet";
  const labels = ["Printer 2.OG", "_ipp", "_tcp", "local"];
  const name = Buffer.concat([...labels.map((one) => Buffer.concat([Buffer.from([one.length]), Buffer.from(one)])), Buffer.alloc(1)]);
  const message = Buffer.concat([Buffer.from([0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]), name, Buffer.from([0, 33, 0, 1])]);
  const { id, flags, questions } = packet.decode(message);
  const again = packet.encode({ type: "query", id, flags, questions });
  const [before, after] = [message, again].map((one) => one.subarray(12).toString("latin1").replace(/[^ -~]/g, "|"));
  console.log(`decoded: ${questions[0].name}\nbefore: ${before}\nafter:  ${after}`);
  if (again.equals(message)) { console.log("this has changed"); process.exit(1); }'
