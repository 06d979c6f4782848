#!/bin/sh
# Builds the image of the Containerfile with buildah, then serves and plays from it. For
# machines without a container registry: the base is made of Debian's packages.
#   sudo sh deploy/build-container.sh     (buildah and debootstrap: apt-get install them)
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
place=${TWOGAPS_IMAGES:-$(mktemp -d)}
[ -n "${TWOGAPS_IMAGES:-}" ] || trap 'rm -rf "$place"' EXIT
suite=${DEBIAN_SUITE:-bookworm}
export BUILDAH_ISOLATION=chroot
engine() { buildah --root "$place/root" --runroot "$place/run" --storage-driver vfs "$@"; }

if ! engine inspect --type image localhost/two-gaps-base >/dev/null 2>&1; then
  echo "+ base of $suite"
  debootstrap --variant=minbase --include=ca-certificates,python3,python3-venv \
    "$suite" "$place/debian" >"$place/debootstrap.log" 2>&1 ||
    { tail -5 "$place/debootstrap.log"; exit 1; }
  made=$(engine from scratch)
  engine copy -q "$made" "$place/debian" / >/dev/null
  engine commit -q --rm "$made" localhost/two-gaps-base >/dev/null
  rm -rf "$place/debian"
fi

echo "+ build"
store=/etc/ssl/certs # of certificates that this machine trusts
echo "cafile=$store/ca-certificates.crt" >"$place/npmrc"
engine build -q --format docker --volume "$store:$store:ro" --volume "$place/npmrc:/root/.npmrc:ro" \
  --build-arg BASE=localhost/two-gaps-base \
  -f "$here/deploy/Containerfile" -t localhost/two-gaps "$here" >/dev/null

echo "+ run"
run=$(engine from localhost/two-gaps)
engine inspect --format 'entry point {{.OCIv1.Config.Entrypoint}}, user {{.OCIv1.Config.User}}' "$run"
engine run "$run" -- twogaps --version
engine run "$run" -- sh -euc '
  twogaps demo --fast --data /data/demo | tail -2
  ls -l /data/demo/journal.sqlite
'
engine images localhost/two-gaps
engine rm "$run" >/dev/null
