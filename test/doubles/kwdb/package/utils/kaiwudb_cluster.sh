# cluster -s and -i, decommission.

cluster() {
  must_be_installed
  case "$1" in
  status)
    kw_running || { log_err "KaiwuDB is not running."; exit 1; }
    kwbase node status
    exit ;;
  init)
    [ -f "$root/etc/kaiwudb/info/NODE" ] || { log_err "$root/etc/kaiwudb/info/NODE: No such file."; exit 1; }
    local why
    why=$(kwbase init) || { log_err "Cluster init failed: $why"; exit 1; }
    completed INIT "Cluster init successfully." ;;
  esac
}
