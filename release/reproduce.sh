#!/usr/bin/env bash
# Builds the release twice, in two folders of different names with nothing in common, and compares every byte.
#
#   bash release/reproduce.sh          # two whole builds: about 25 minutes on two slow cores
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
commit=$(git rev-parse HEAD)
for copy in first a-second-folder-with-a-longer-name; do
    git clone --quiet --no-hardlinks . "$work/$copy"
    git -C "$work/$copy" checkout --quiet --detach "$commit"
    env -u CARGO_TARGET_DIR bash "$work/$copy/release/build.sh" "$work/$copy.out"
    rm -rf "$work/$copy"
done
diff "$work/first.out/SHA256SUMS" "$work/a-second-folder-with-a-longer-name.out/SHA256SUMS"
echo "release: both builds are the same, byte by byte"
