#!/usr/bin/env bash
# Prints a folder with psql, pg_dump, pg_dumpall and pg_restore of PostgreSQL 18 or newer, which read every older server:
# from PATH or Debian's own folders, else from the cache, else fetched from Debian without root (own apt lists,
# nothing installed) and run through the loader and libraries they were built for. Where the newest suite cannot
# be had, those of trixie, which are 17.
set -euo pipefail

floor=18
tools=(psql pg_dump pg_dumpall pg_restore)
room=${LOCKKEEPER_CACHE:-$HOME/.cache/lockkeeper}/postgres-tools

complete() {
  local tool major
  for tool in "${tools[@]}"; do
    [ -x "$1/$tool" ] || return 1
    # Debian's wrapper takes the version of whichever server the machine has
    [ "$(basename "$(readlink -f "$1/$tool")")" != pg_wrapper ] || return 1
    major=$("$1/$tool" --version 2>/dev/null | sed -nE 's/^[a-z_]+ \(PostgreSQL\) ([0-9]+).*/\1/p')
    [ -n "$major" ] && [ "$major" -ge "$2" ] || return 1
  done
}

# what any shell finds first, then the newest of Debian's
for folder in "$(dirname "$(command -v pg_dumpall || echo /none/x)")" $(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -rV); do
  if complete "$folder" "$floor"; then echo "$folder"; exit 0; fi
done
if complete "$room/forky/bin" "$floor"; then echo "$room/forky/bin"; exit 0; fi

tool="PostgreSQL's tools"
instead="put psql, pg_dump, pg_dumpall and pg_restore $floor or newer on PATH"
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
# beside the bundle, or one folder up in the sources
if [ -r "$here/fetch-debian.sh" ]; then . "$here/fetch-debian.sh"; else . "$here/../fetch-debian.sh"; fi

# A script in place of the program: with its own loader, and under its own name, by which pg_dumpall finds pg_dump.
wrapper() {
  cat <<END
#!/bin/sh
root=$cache/root
exec "\$root$1" --argv0 "\$0" --library-path "\$root${1%/*}" "\$root$2" "\$@"
END
}

fetch() {
  local client loader program name
  client=$(apt-cache "${apt[@]}" depends postgresql-client | sed -nE 's/^ *Depends: (postgresql-client-[0-9]+)$/\1/p' | head -n 1)
  [ -n "$client" ] || { say "the suite names no client"; return 1; }
  # the libraries among all that an empty machine would need, without Perl's, which only Debian's own scripts use
  local libraries
  libraries=$(apt-get "${apt[@]}" -s install "$client" | sed -nE 's/^Inst ((lib|zlib1g)[^ ]*) .*/\1/p' | grep -vE '^lib(perl|gdbm|db5|gconv)' || true)
  # shellcheck disable=SC2086
  unpack "$client" $libraries || return 1
  loader=$(cd "$work/root" && ls -d usr/lib/*-linux-gnu/ld-linux-*.so.* | head -n 1)
  mkdir "$work/bin"
  for name in "${tools[@]}"; do
    program=$(cd "$work/root" && ls -d usr/lib/postgresql/*/bin/"$name" | head -n 1)
    wrapper "/$loader" "/$program" >"$work/bin/$name"
    chmod 755 "$work/bin/$name"
  done
  rm -rf "$work/root/usr/share" "$cache/root" "$cache/bin"
  mv "$work/root" "$cache/root"
  mv "$work/bin" "$cache/bin"
}

# provide SUITE FLOOR
provide() {
  cache=$room/$1
  lock_cache || return 1
  if ! complete "$cache/bin" "$2"; then
    open_suite "$1" && fetch || return 1
    complete "$cache/bin" "$2" || { say "what was fetched from Debian $1 does not run here"; return 1; }
  fi
  echo "$cache/bin"
}

# each in a shell of its own, which takes its folder of work along
(provide forky "$floor") || { say "trixie's instead, which do not read a server newer than 17"; (provide trixie 17); }
