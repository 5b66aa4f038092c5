# Packages of a Debian suite for one user, without root and with nothing installed: own apt lists, on this
# machine's mirror, authenticated. Sourced by the fetch.sh of a tool, which sets before: tool (its name in
# messages), instead (what to do where it cannot be had) and cache (its folder, made here and locked).

say() { echo "$tool: $*" >&2; }

# Whoever comes second waits for the first, then finds the cache filled.
lock_cache() {
  local command
  for command in apt-get dpkg-deb flock; do
    command -v "$command" >/dev/null || { say "no $command here; $instead"; return 1; }
  done
  mkdir -p "$cache"
  exec 9>"$cache/.lock"
  flock -w 300 9 || { say "another fetch has held $cache for five minutes"; return 1; }
}

# The first Debian archive among the machine's own sources that is not the security one.
debian_mirror() {
  local mirror
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 2>/dev/null | grep -v -- '-security' | head -n 1 || true)
  if [ -z "$mirror" ]; then
    mirror=$(sed -nE 's/^(URIs:|deb( \[[^]]*\])?) +([^ ]+).*/\3/p' /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null | grep -v -- '-security' | head -n 1 || true)
  fi
  [ -n "$mirror" ] || { say "no Debian mirror in this machine's apt sources; $instead"; return 1; }
  echo "$mirror"
}

# open_suite SUITE: sets work, a folder that ends with the script, and apt, the words of an apt-get on that suite.
open_suite() {
  local mirror keyring=/usr/share/keyrings/debian-archive-keyring.gpg
  mirror=$(debian_mirror) || return 1
  [ -r "$keyring" ] || { say "no $keyring: packages could not be authenticated; $instead"; return 1; }
  work=$(mktemp -d "$cache/.work.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  mkdir -p "$work"/{lists/partial,cache/archives/partial,state,root}
  echo "deb [signed-by=$keyring] $mirror $1 main" >"$work/sources.list"
  : >"$work/state/status"
  apt=(-qq -o "Dir::State=$work/state" -o "Dir::State::lists=$work/lists" -o "Dir::State::status=$work/state/status"
    -o "Dir::Cache=$work/cache" -o "Dir::Etc::SourceList=$work/sources.list" -o Dir::Etc::SourceParts=/dev/null
    -o APT::Sandbox::User= -o Acquire::Check-Valid-Until=false -o Acquire::Languages=none -o Acquire::Retries=3
    -o Acquire::http::Timeout=30 -o Acquire::https::Timeout=30 -o APT::Install-Recommends=false)
  say "fetching from Debian $1 into $cache"
  timeout 180 apt-get "${apt[@]}" update >&2 || { say "the lists of $1 cannot be read from this machine's mirror"; return 1; }
}

# unpack PACKAGE...: downloads them and lays them out in $work/root.
unpack() {
  local package
  (cd "$work" && timeout 180 apt-get "${apt[@]}" download "$@" >&2) || { say "not to be downloaded: $*"; return 1; }
  for package in "$work"/*.deb; do dpkg-deb -x "$package" "$work/root"; done
}
