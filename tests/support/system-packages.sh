#!/bin/sh
# Installs the system's packages that the tests use, with apt where that may be done.
# Otherwise says what to install; the tests that need them are then skipped, or fail
# where TWOGAPS_REQUIRE_ALL=1.
set -u
missing=""
command -v chromium >/dev/null 2>&1 || missing="$missing chromium"
command -v mosquitto >/dev/null 2>&1 || [ -x /usr/sbin/mosquitto ] || missing="$missing mosquitto"
command -v nginx >/dev/null 2>&1 || [ -x /usr/sbin/nginx ] || missing="$missing nginx"
command -v caddy >/dev/null 2>&1 || missing="$missing caddy"
command -v systemd-analyze >/dev/null 2>&1 || missing="$missing systemd"
command -v ip >/dev/null 2>&1 || missing="$missing iproute2"
command -v strace >/dev/null 2>&1 || missing="$missing strace"
[ -z "$missing" ] && exit 0

if command -v apt-get >/dev/null 2>&1; then
  if [ "$(id -u)" = 0 ]; then
    as_root=""
  elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
    as_root="sudo -n"
  else
    as_root="none"
  fi
  if [ "$as_root" != none ]; then
    echo "Installing for the tests:$missing ..."
    $as_root apt-get update -qq >/dev/null 2>&1
    # shellcheck disable=SC2086 # a list of words
    if DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq \
      --no-install-recommends $missing >/dev/null 2>&1; then
      exit 0
    fi
  fi
fi
echo "Some tests need:$missing. Install with your package manager, for example"
echo "  sudo apt-get install --no-install-recommends$missing"
echo "The tests that need them are skipped until then."
exit 0
