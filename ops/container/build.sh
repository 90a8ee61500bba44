#!/usr/bin/env bash
# Builds the image of a program that was built on this machine, from nothing: no base image is fetched.
#
#   bash ops/container/build.sh PROGRAM [NAME]
#
# PROGRAM is `countersign` of a release, or target/release/countersign. BUILD is the command that builds an image; without it,
# podman, docker or buildah, whichever is there.
set -euo pipefail

readonly PROGRAM=${1:?usage: build.sh PROGRAM [NAME]} NAME=${2:-countersign}
readonly HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

if [ -z "${BUILD:-}" ]; then
    for tool in "podman build --format docker" "docker build" "buildah bud --format docker"; do
        if command -v "${tool%% *}" >/dev/null; then BUILD=$tool && break; fi
    done
fi
[ -n "${BUILD:-}" ] || { echo "build.sh: neither podman nor docker nor buildah is here" >&2; exit 1; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
umask 022
mkdir -m 700 "$work/data"
# A folder that is empty is not copied everywhere.
install -m 600 /dev/null "$work/data/.keep"
install -D -m 755 "$PROGRAM" "$work/image/countersign"
strip --strip-all "$work/image/countersign"
# The libraries that it names, and what loads them, where it looks for them.
ldd "$PROGRAM" | sed -n 's/.*=> \(\/[^ ]*\) .*/\1/p; s/^[[:space:]]*\(\/[^ ]*\) .*/\1/p' | while read -r library; do
    install -D -m 755 "$(readlink -f "$library")" "$work/image$library"
done
for bundle in /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt; do
    if [ -f "$bundle" ]; then install -D -m 644 "$bundle" "$work/image/etc/ssl/certs/ca-certificates.crt" && break; fi
done
[ -f "$work/image/etc/ssl/certs/ca-certificates.crt" ] ||
    { echo "build.sh: no certificates of public authorities here; install ca-certificates" >&2; exit 1; }

cp "$HERE/Containerfile" "$work/"
# shellcheck disable=SC2086 # a command with its arguments
$BUILD -t "$NAME" -f "$work/Containerfile" "$work"
