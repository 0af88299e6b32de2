#!/bin/sh
# Builds upkeep-shim from the C files here: native/<platform>-<arch>/upkeep-shim, the names as in Node's process.
#
# The Linux binaries are committed, so that an installation needs no compiler. They are static (musl): a shim has to
# run on every distribution, and its memory is paid once for each instance. The same source and toolchain.txt give
# the same bytes; test/shim-binary.test.ts builds again and compares, so nobody has to trust a binary in git.
#
#   sh native/build.sh [OUT_DIR]     default: native/
#   Debian: apt-get install musl-tools; for arm64 too: dpkg --add-architecture arm64, apt-get update,
#           apt-get install gcc-aarch64-linux-gnu musl-dev:arm64
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=$(mkdir -p "${1:-$here}" && cd "${1:-$here}" && pwd)
cd "$here" # a relative source name: no path of this machine gets into the binary

warnings='-std=gnu11 -Wall -Wextra -Werror'
small='-Os -static -s -ffunction-sections -fdata-sections -Wl,--gc-sections'
reproducible='-Wl,--build-id=none -Wl,-z,noseparate-code'

build() { # PLATFORM-ARCH COMPILER [FLAG...]
  target=$1
  shift
  mkdir -p "$out/$target"
  # Not written in place: a shim that is running keeps its file.
  # shellcheck disable=SC2086 # the flags are a list
  "$@" $warnings -o "$out/$target/upkeep-shim.new" main.c shim.c application.c output.c log.c rotate.c channel.c launcher.c sockets.c address.c take.c lend.c lock.c guard.c guarded.c notify.c
  chmod 755 "$out/$target/upkeep-shim.new"
  mv "$out/$target/upkeep-shim.new" "$out/$target/upkeep-shim"
  echo "$target/upkeep-shim: $(wc -c <"$out/$target/upkeep-shim") bytes"
}

build_static() { # PLATFORM-ARCH MACHINE
  # shellcheck disable=SC2086
  build "$1" "$2-linux-musl-gcc" $small $reproducible
}

has() { command -v "$1" >/dev/null; }

toolchain() {
  gcc --version | head -n 1
  ld --version | head -n 1
  echo "musl $("/lib/ld-musl-$(uname -m).so.1" 2>&1 | sed -n 's/^Version //p')"
}

platform=$(uname -s | tr '[:upper:]' '[:lower:]')
case $(uname -m) in
  x86_64 | amd64) arch=x64 ;;
  aarch64 | arm64) arch=arm64 ;;
  *) arch=$(uname -m) ;;
esac

if [ "$platform" = linux ] && has "$(uname -m)-linux-musl-gcc"; then
  if has x86_64-linux-musl-gcc; then build_static linux-x64 x86_64; fi
  if has aarch64-linux-musl-gcc && has aarch64-linux-gnu-gcc; then build_static linux-arm64 aarch64; fi
  toolchain >"$out/toolchain.txt"
elif [ -e "$here/$platform-$arch/upkeep-shim" ] && [ "$out" = "$here" ]; then
  echo "native/build.sh: $platform-$arch is shipped and needs $(uname -m)-linux-musl-gcc (Debian: musl-tools)" >&2
  exit 69 # EX_UNAVAILABLE
else
  build "$platform-$arch" cc -Os
fi
