#!/bin/sh
# Makes a root folder of a newer Debian release with a Docker engine and Podman in it (trixie: also etcd), and prints its path.
# Usage: root.sh SUITE [PACKAGE ...]. BULKHEAD_ROOTS: the folder with the roots, by default /var/cache/bulkhead-roots.
#
# A root that is there is taken when dpkg says that all packages in it are installed; one that lacks some gets them; one that is
# broken is made again. A root under work has another name, so one that was interrupted is never taken for a whole one.
set -eu

suite="${1:?usage: root.sh SUITE [PACKAGE ...]}"
shift
packages="docker.io docker-cli podman netavark aardvark-dns conmon crun catatonit iptables nftables iproute2 conntrack procps busybox-static ca-certificates $*"
# sid's etcd-server does not install where /proc is not mounted, and etcd 3.5 is enough.
[ "$suite" != trixie ] || packages="$packages etcd-server"
roots="${BULKHEAD_ROOTS:-/var/cache/bulkhead-roots}"
root="$roots/$suite"
part="$root.part"
export DEBIAN_FRONTEND=noninteractive LC_ALL=C

say() { echo "root $suite: $*" >&2; }

whole() {
  for package in $packages; do
    dpkg-query --admindir="$root/var/lib/dpkg" -W -f '${Status}' "$package" 2>/dev/null | grep -q '^install ok installed$' || return 1
  done
}

# No service starts in a root, and its apt asks the same servers as the machine's.
furnish() {
  cp -L /etc/resolv.conf "$1/etc/resolv.conf"
  cp -n /etc/apt/apt.conf.d/* "$1/etc/apt/apt.conf.d/"
  printf '#!/bin/sh\nexit 101\n' >"$1/usr/sbin/policy-rc.d"
  chmod +x "$1/usr/sbin/policy-rc.d"
  chroot "$1" apt-get update -qq >&2
  # shellcheck disable=SC2086
  chroot "$1" apt-get install -y -qq --no-install-recommends $packages >&2
  chroot "$1" apt-get clean
}

mirror() {
  apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 'Origin: Debian' 'Label: Debian' | head -n 1
}

mkdir -p "$roots"
exec 9>"$root.lock"
flock 9
if whole; then
  say "is there"
elif test -d "$root" && furnish "$root" && whole; then
  say "has been brought up to date"
else
  from="$(mirror)"
  test -n "$from" || { say "apt names no mirror of Debian's; run apt-get update first"; exit 1; }
  # What an interrupted debootstrap has mounted goes first, and nothing is removed across a mount.
  awk -v below="$part/" 'index($2, below) == 1 { print $2 }' /proc/self/mounts | sort -r | xargs -r umount -l
  rm -rf --one-file-system "$part" "$root"
  say "is made from $from"
  debootstrap --variant=minbase "$suite" "$part" "$from" >&2
  furnish "$part"
  mv "$part" "$root"
  whole || { say "lacks one of: $packages"; exit 1; }
fi
echo "$root"
