# The progress bar: a child that reads a pipe which it holds open itself. It ends at 100 %; after any
# failure it stays, blocked, and keeps the caller's standard output open.

bar_start() {
  local why
  why=$(mkfifo "$here/kw_pipe" 2>&1) || { log_err "Pipe create failed: $why."; exit 1; }
  exec 10<>"$here/kw_pipe"
  rm -f "$here/kw_pipe"
  bar_loop &
}

bar_loop() {
  local line label percent marks
  while read -r -u 10 line; do
    if [ "$line" = pause ]; then blanks 116; continue; fi
    label=${line%:*} percent=${line##*:}
    printf -v marks '%*s' $((percent / 2)) ''
    printf '%-25s: [%-50s] %d%%\r' "${label//#/ }" "${marks// /#}" "$percent"
    [ "$percent" -ne 100 ] || break
  done
  blanks 116
}

# bar 'label#with#words' PERCENT
bar() {
  echo "$1:$2" >&10
  strike "$2"
}

# strike POINT: the script, or its whole process group, is killed here where a fault asks for it
strike() {
  local victim
  victim=$(knob "kill_at_$1")
  [ -n "$victim" ] || return 0
  echo "$1" >>"$root/etc/kwdb-double/struck"
  sleep 0.05
  case "$victim" in main) kill -KILL $$ ;; group) kill -KILL 0 ;; esac
}
