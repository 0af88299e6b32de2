#!/bin/sh
# Makes the folder $1 the root of a machine of its own and becomes its systemd. To be run as the first process of new
# pid, mount, uts, ipc, cgroup and network namespaces.
set -eu
cd "$1"
mount --make-rprivate /
mount --rbind . .
cd "$1" # the mount, not what is below it
mount -t proc proc proc
mount -t sysfs sysfs sys
mount -t tmpfs tmpfs run
mount -t tmpfs tmpfs tmp
mount --rbind /dev dev
if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
  mount -t cgroup2 cgroup2 sys/fs/cgroup
else
  mount -t tmpfs tmpfs sys/fs/cgroup
  mkdir sys/fs/cgroup/unified sys/fs/cgroup/systemd
  mount -t cgroup2 cgroup2 sys/fs/cgroup/unified
  mount -t cgroup -o none,name=systemd cgroup sys/fs/cgroup/systemd
fi
mkdir -p before
pivot_root . before
umount -l before
ip link set lo up
# It would take over the console and the kernel's messages of the machine that it runs on.
export container=upkeep-proof
exec /lib/systemd/systemd --system --log-target=journal
