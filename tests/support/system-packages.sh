#!/bin/sh
# Installs the system packages that the tests use, with apt if this user may.
# Otherwise prints what to install. Tests without their package are skipped, or fail
# if TWOGAPS_REQUIRE_ALL=1.
set -u

missing() {
  has chromium-headless-shell || printf ' %s' "$browser"
  has mosquitto || printf ' mosquitto'
  has initdb || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || printf ' postgresql'
  has nginx || printf ' nginx'
  has caddy || printf ' caddy'
  has haproxy || printf ' haproxy'
  has systemd-analyze || printf ' systemd'
  has ip || printf ' iproute2'
  has strace || printf ' strace'
}

has() { command -v "$1" >/dev/null 2>&1 || [ -x "/usr/sbin/$1" ] || [ -x "/sbin/$1" ]; }

# A browser without windows takes half the CPU; any Chromium will do.
browser=chromium-headless-shell
if ! apt-cache show "$browser" >/dev/null 2>&1; then browser=chromium; fi

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

install() {
  DEBIAN_FRONTEND=noninteractive as_root apt-get install -y -qq \
    --no-install-recommends "$@" >/dev/null 2>&1
}

wanted=$(missing)
[ -z "$wanted" ] && exit 0

if command -v apt-get >/dev/null 2>&1 && as_root true >/dev/null 2>&1; then
  echo "Installing for the tests:$wanted ..."
  as_root apt-get update -qq >/dev/null 2>&1
  # shellcheck disable=SC2086 # a list of words
  install $wanted || for package in $wanted; do install "$package"; done
  wanted=$(missing)
  [ -z "$wanted" ] && exit 0
fi

if has chromium || has chromium-browser; then
  wanted=$(echo "$wanted" | sed "s/ $browser//")
fi
[ -z "$wanted" ] && exit 0
echo "Some tests need these packages:$wanted"
echo "On Debian or Ubuntu: sudo apt-get install --no-install-recommends$wanted"
if [ "${TWOGAPS_REQUIRE_ALL:-0}" = 1 ]; then
  echo "Tests that need them will fail (TWOGAPS_REQUIRE_ALL=1)."
else
  echo "Tests that need them are skipped until then."
fi
exit 0
