# start, stop, restart through systemctl.

kw_start() {
  sudo systemctl daemon-reload
  sudo systemctl start kaiwudb >/dev/null 2>&1 || return 1
  sleep "$(scaled 3)"
  wait_until_running
}

# up to 301 looks, two seconds apart
wait_until_running() {
  local looks=0
  until whether_running >/dev/null; do
    looks=$((looks + 1))
    [ "$looks" -le "${KWDB_DOUBLE_POLLS:-300}" ] || return 1
    sleep "$(scaled 2)"
  done
}

kw_stop() { sudo systemctl daemon-reload; sudo systemctl stop kaiwudb >/dev/null 2>&1; }

# scaled SECONDS: in this host's ticks
scaled() {
  local scale
  scale=$(sed -n 's/^tick_scale=//p' "$root/etc/kwdb-double/host" 2>/dev/null)
  awk "BEGIN{print $1*${KWBASE_DOUBLE_TICK_SCALE:-${scale:-1}}}"
}

operate() {
  must_be_installed
  case "$1" in
  status)
    if kw_running; then completed STATUS "KaiwuDB is runnning now."; else completed STATUS "KaiwuDB is not runnning."; fi ;;
  start)
    ! kw_running || { log_err "KaiwuDB is runnning now."; exit 1; }
    kw_start || { log_err "Start KaiwuDB failed. For more information, check kwbase log."; exit 1; }
    completed START "KaiwuDB start successfully." ;;
  stop | restart)
    kw_running || { log_err "KaiwuDB is not runnning now."; exit 1; }
    kw_stop || { log_err "${1^} KaiwuDB failed. For more information, use 'journalctl -u kaiwudb' to view the system logs."; exit 1; }
    [ "$1" = stop ] || kw_start || { log_err "Restart KaiwuDB failed. For more information, use 'journalctl -u kaiwudb' to view the system logs."; exit 1; }
    completed "${1^^}" "KaiwuDB $1 successfully." ;;
  uninstall)
    ! kw_running || { log_err "Please stop KaiwuDB first."; exit 1; }
    local name
    for name in kaiwudb-server kaiwudb-libcommon; do eval "$g_sudo" dpkg -r "$name" >/dev/null 2>&1; done
    sudo rm -rf "$root/usr/local/kaiwudb" "$root/etc/systemd/system/kaiwudb.service"
    completed UNINSTALL "KaiwuDB has been uninstalled successfully." ;;
  esac
}
