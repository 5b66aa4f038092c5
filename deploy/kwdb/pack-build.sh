#!/usr/bin/env bash
# Packs a KWDB that was built from source, as `make install` has left it, into the archive that `lockkeeper artefact
# push` takes: bin, lib and manifest.json with the sha256 of every file. Run it where the build was made: it asks the
# build for its version. The folder is only read.
set -euo pipefail

usage="usage: pack-build.sh FOLDER ARCHIVE.tar.gz   (FOLDER holds bin/kwbase and lib, as 'make install' leaves them)"
refuse() { echo "pack-build: $*" >&2; exit 2; }

[ $# -eq 2 ] || refuse "$usage"
folder=${1%/} archive=$2
[ -x "$folder/bin/kwbase" ] || refuse "$folder/bin/kwbase is no program: name the folder that 'make install' has filled"
[ -d "$folder/lib" ] || refuse "$folder/lib is no folder: the libraries of the build belong there"
[ ! -e "$archive" ] || refuse "$archive is there already: remove it, or name another"

version=$(LD_LIBRARY_PATH="$folder/lib" timeout 30 "$folder/bin/kwbase" version 2>&1) \
  || refuse "$folder/bin/kwbase version does not run here: $version"
version=$(sed -nE 's/^(KaiwuDB|KWDB) Version:[[:space:]]+([A-Za-z0-9._+-]+)[[:space:]]*$/\2/p' <<<"$version" | head -1)
[ -n "$version" ] || refuse "$folder/bin/kwbase version tells no version"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# links are followed, as the archive follows them: what is linked to from outside would else be missing on the node
cp -RL "$folder/bin" "$folder/lib" "$work/"
strange=$(cd "$work" && find bin lib ! -type d ! -type f -o -name '*["\\]*' -o -name $'*\n*')
[ -z "$strange" ] || refuse "neither plain files nor folders, or names with quotes or line breaks: $strange"

{
  printf '{\n  "format": 1,\n  "version": "%s",\n  "platform": "linux-%s",\n  "files": {' "$version" "$(uname -m)"
  separator=
  while IFS= read -r file; do
    sum=$(sha256sum <"$work/$file")
    printf '%s\n    "%s": "%s"' "$separator" "$file" "${sum%% *}"
    separator=,
  done < <(cd "$work" && find bin lib -type f | LC_ALL=C sort)
  printf '\n  }\n}\n'
} >"$work/manifest.json"

tar -C "$work" -czf "$archive.part" --owner=0 --group=0 bin lib manifest.json
mv "$archive.part" "$archive"
echo "$archive: KWDB $version for linux-$(uname -m), sha256 $(sha256sum <"$archive" | cut -d' ' -f1)"
