#!/usr/bin/env bash
# Good guess: a write beyond a disk quota fails in Node with `code: "EDQUOT"`, as one on a full disk fails with "ENOSPC", so that a program
# can tell both from a fault and say what to do.
# Wrong: libuv has no name for this errno on Linux. The error is `UNKNOWN: unknown error, write`, with errno -122; the same write in other
# languages says "Disk quota exceeded". `os.constants.errno.EDQUOT` exists (122) and is used in no error.
# Users meet it on shared machines and on volumes with quotas: a full quota is reported as an unknown error. Compare `error.errno` with
# `-os.constants.errno.EDQUOT`. Debian 12: Node 20.20.2, btrfs-progs 6.2; prints the ones it ran on.
set -euo pipefail
for program in node mkfs.btrfs python3; do
  command -v "$program" >/dev/null || { echo "apt-get install btrfs-progs python3, and Node 20 or later"; exit 1; }
done
test "$(id -u)" = 0 || { echo "needs root, to mount a file system"; exit 1; }
folder="$(mktemp -d)"
trap 'umount "$folder/disk" 2>/dev/null || true; rm -rf "$folder"' EXIT
mkdir "$folder/disk"
truncate -s 256M "$folder/image"
mkfs.btrfs -q "$folder/image" >/dev/null 2>&1
mount -o loop "$folder/image" "$folder/disk"
btrfs quota enable "$folder/disk"
btrfs subvolume create "$folder/disk/home" >/dev/null
btrfs qgroup limit 4M "$folder/disk/home"
cat > "$folder/write.mjs" <<'JS'
import { writeFileSync } from "node:fs";
import { constants } from "node:os";
try {
  writeFileSync(process.argv[2], Buffer.alloc(16 << 20, 1));
  console.log("written");
} catch ({ code, errno, message }) {
  const { EDQUOT } = constants.errno;
  console.log(`node ${process.version}: code ${code}, errno ${errno}, constant ${EDQUOT}, "${message.split(",")[0]}"`);
}
JS
said="$(node "$folder/write.mjs" "$folder/disk/home/file")"
rm -f "$folder/disk/home/file"
sync -f "$folder/disk"
other="$(python3 -c 'import sys
try: open(sys.argv[1], "wb").write(bytes(1) * (16 << 20))
except OSError as error: print(error.errno, error.strerror)' "$folder/disk/home/file2")"
printf '%s\n' "$said" "python3: $other"
case "$said" in *'code UNKNOWN, errno -122, constant 122, "UNKNOWN: unknown error"'*) ;; *) echo "CHANGED"; exit 1 ;; esac
test "$other" = "122 Disk quota exceeded" || { echo "CHANGED: the quota is not what it fails at"; exit 1; }
echo "as seen"
