# Messages of deploy.sh: everything but the two complaints about privileges goes to standard output.

blanks() { printf '%*s\r' "$1" ''; }

log_init() {
  mkdir -p "$here/log"
  log_file=$here/log/$(date +%Y-%m-%d)
  touch "$log_file"
}

# log_line LEVEL COLOUR MESSAGE…: a message of several lines becomes one
log_line() {
  local level=$1 colour=$2 text
  shift 2
  # shellcheck disable=SC2048,SC2086
  text=$(echo "[$level]" "$(date '+%Y-%m-%d %H:%M:%S')" $*)
  blanks 123
  printf '%s\n' "$text" >>"$log_file"
  printf '\033[%sm %s \033[0m\n' "$colour" "$text"
}

log_err() { log_line ERROR 31 "$@"; }
log_warn() { log_line WARN 33 "$@"; }
completed() { printf '\033[1;32m[%s COMPLETED]:\033[0m%s\n' "$1" "$2"; }
