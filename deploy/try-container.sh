#!/bin/sh
# Does what the Containerfile does if there is no engine: a copy of what is under
# version control, its RUN steps in an empty environment, and the server from there.
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cd "$here"
mkdir "$place/src"
git ls-files -z | xargs -0 cp --parents -t "$place/src"
cd "$place/src"
sed -n 's/^RUN //p' deploy/Containerfile | grep -v useradd |
  sed "s#/opt/two-gaps#$place/venv#g" | while read -r step; do
  echo "+ $step"
  env -i PATH="$PATH" HOME="$place" sh -euc "$step"
done
cd /
"$place/venv/bin/twogaps" --version
"$place/venv/bin/twogaps" doctor --data "$place/data" --port 0
du -sh "$place/venv" | sed 's/\t.*/ installed/'
