#!/usr/bin/env bash
# Prints the path of a nats-server. Default: 2.11 or newer, from PATH, else from the cache, else fetched
# from Debian without root (own apt lists, nothing installed). `fetch.sh bookworm` fetches that suite's
# server, whatever its version: the contract tests run once against the old one.
set -euo pipefail

suite=${1:-forky}
cache=${LOCKKEEPER_CACHE:-$HOME/.cache/lockkeeper}/nats/$suite
floor=2.11

new_enough() {
  local version
  version=$("$1" --version 2>/dev/null | sed -n 's/^nats-server: v//p')
  [ -n "$version" ] && [ "$(printf '%s\n%s\n' "$floor" "$version" | sort -V | head -n 1)" = "$floor" ]
}

if [ "$suite" = forky ]; then
  found=$(command -v nats-server || true)
  if [ -n "$found" ] && new_enough "$found"; then echo "$found"; exit 0; fi
fi
if [ -x "$cache/nats-server" ]; then echo "$cache/nats-server"; exit 0; fi

say() { echo "nats-server: $*" >&2; }
for tool in apt-get dpkg-deb flock; do
  command -v "$tool" >/dev/null || { say "no $tool here; install nats-server $floor or newer and put it on PATH"; exit 1; }
done

mkdir -p "$cache"
exec 9>"$cache/.lock"
flock -w 300 9 || { say "another fetch has held $cache for five minutes"; exit 1; }
if [ -x "$cache/nats-server" ]; then echo "$cache/nats-server"; exit 0; fi

# the machine's own mirror: the first Debian archive among its sources that is not the security one
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 2>/dev/null | grep -v -- '-security' | head -n 1 || true)
if [ -z "$mirror" ]; then
  mirror=$(sed -nE 's/^(URIs:|deb( \[[^]]*\])?) +([^ ]+).*/\3/p' /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null | grep -v -- '-security' | head -n 1 || true)
fi
[ -n "$mirror" ] || { say "no Debian mirror in this machine's apt sources; put nats-server $floor or newer on PATH"; exit 1; }

work=$(mktemp -d "$cache/.work.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir -p "$work"/{lists/partial,cache/archives/partial,state}
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
[ -r "$keyring" ] || { say "no $keyring: the package could not be authenticated; put nats-server $floor or newer on PATH"; exit 1; }
echo "deb [signed-by=$keyring] $mirror $suite main" >"$work/sources.list"
: >"$work/state/status"
apt=(apt-get -qq -o "Dir::State=$work/state" -o "Dir::State::lists=$work/lists" -o "Dir::State::status=$work/state/status"
  -o "Dir::Cache=$work/cache" -o "Dir::Etc::SourceList=$work/sources.list" -o Dir::Etc::SourceParts=/dev/null
  -o APT::Sandbox::User= -o Acquire::Check-Valid-Until=false -o Acquire::Languages=none -o Acquire::Retries=3
  -o Acquire::http::Timeout=30 -o Acquire::https::Timeout=30)
say "fetching from Debian $suite into $cache"
timeout 180 "${apt[@]}" update >&2 || { say "the lists of $suite cannot be read from this machine's mirror"; exit 1; }
(cd "$work" && timeout 180 "${apt[@]}" download nats-server >&2) || { say "the package cannot be downloaded"; exit 1; }
dpkg-deb -x "$work"/nats-server_*.deb "$work/root"
install -m 755 "$work/root/usr/sbin/nats-server" "$work/nats-server" 2>/dev/null || install -m 755 "$work/root/usr/bin/nats-server" "$work/nats-server"
"$work/nats-server" --version >&2 || { say "the fetched server does not run here"; exit 1; }
mv "$work/nats-server" "$cache/nats-server"
echo "$cache/nats-server"
