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

tool=nats-server
instead="put nats-server $floor or newer on PATH"
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
# beside the bundle, or one folder up in the sources
if [ -r "$here/fetch-debian.sh" ]; then . "$here/fetch-debian.sh"; else . "$here/../fetch-debian.sh"; fi

lock_cache
if [ -x "$cache/nats-server" ]; then echo "$cache/nats-server"; exit 0; fi
open_suite "$suite"
unpack nats-server
install -m 755 "$work/root/usr/sbin/nats-server" "$work/nats-server" 2>/dev/null || install -m 755 "$work/root/usr/bin/nats-server" "$work/nats-server"
"$work/nats-server" --version >&2 || { say "the fetched server does not run here"; exit 1; }
mv "$work/nats-server" "$cache/nats-server"
echo "$cache/nats-server"
