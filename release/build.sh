#!/usr/bin/env bash
# Builds a release that is meant to come out the same wherever it is built from the same source, Rust, C compiler and system
# libraries; reproduce.sh compares two builds.
#
#   bash release/build.sh [FOLDER]     # default: target/release-files
#
# It leaves countersign-VERSION-TARGET.tar.gz, countersign-VERSION-TARGET.cdx.json (what it is made of) and SHA256SUMS.
# CARGO_TARGET_DIR is used if it is set. PROFILE=dev builds without optimisation, to try the script itself.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly ROOT=$PWD
readonly OUT=${1:-$ROOT/target/release-files}
readonly PROFILE=${PROFILE:-release}
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$ROOT/target}
export CARGO_INCREMENTAL=0 LC_ALL=C TZ=UTC
umask 022

if git rev-parse HEAD >/dev/null 2>&1; then
    [ -z "$(git status --porcelain)" ] || { echo "release: the working tree has changes; commit them first" >&2; exit 1; }
    SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
else # a source archive
    read -r commit SOURCE_DATE_EPOCH <release/commit
    [ "${commit#\$}" = "$commit" ] || { echo "release: neither a Git repository nor a source archive" >&2; exit 1; }
fi
export SOURCE_DATE_EPOCH

# No path of this machine: neither in the program's messages nor in what the C compiler writes down.
readonly CARGO_HOME_PATH=${CARGO_HOME:-$HOME/.cargo} SYSROOT=$(rustc --print sysroot)
# The folder of the crates is named after where they were fetched from, which may be a mirror: the last map that fits counts.
cargo fetch --locked --quiet
maps=("$CARGO_TARGET_DIR=/build" "$ROOT=/countersign" "$CARGO_HOME_PATH=/cargo" "$SYSROOT=/rust")
for crates in "$CARGO_HOME_PATH"/registry/src/*; do maps+=("$crates=/cargo/crates"); done
rust_maps= c_maps=
for map in "${maps[@]}"; do
    rust_maps="${rust_maps:+$rust_maps$'\x1f'}--remap-path-prefix=$map"
    c_maps="${c_maps:+$c_maps }-ffile-prefix-map=$map"
done
export CARGO_ENCODED_RUSTFLAGS=$rust_maps CFLAGS=$c_maps CXXFLAGS=$c_maps

version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -1)
target=$(rustc -vV | sed -n 's/^host: //p')
name=countersign-$version-$target
cargo build --locked --profile "$PROFILE" --package countersign
folder=$PROFILE
[ "$PROFILE" = dev ] && folder=debug

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/$name" "$OUT"
install -m 755 "$CARGO_TARGET_DIR/$folder/countersign" "$work/$name/countersign"
strip --strip-all "$work/$name/countersign"
install -m 644 README.md LICENSE-APACHE LICENSE-MIT CHANGELOG.md SECURITY.md "$work/$name/"
cp -r ops "$work/$name/ops"
if grep -aqF -e "$ROOT/" -e "$CARGO_HOME_PATH/" "$work/$name/countersign"; then
    echo "release: a path of this machine is in the program" >&2
    exit 1
fi

tar --sort=name --owner=0 --group=0 --numeric-owner --mode=go-w --mtime="@$SOURCE_DATE_EPOCH" --format=ustar \
    -C "$work" -cf - "$name" | gzip -n -9 >"$OUT/$name.tar.gz"
# xtask is built without the flags above: it is no part of the release.
env -u CARGO_ENCODED_RUSTFLAGS cargo xtask sbom "$OUT/$name.cdx.json"
(cd "$OUT" && sha256sum "$name.tar.gz" "$name.cdx.json" >SHA256SUMS && cat SHA256SUMS)
