#!/bin/bash
# Stand-in for the vendor's installation script; see ../README.md. KWDB_HOST_ROOT moves every path of the host
# below a folder, so that the same script serves a real host and a host that is only a folder; the latter's
# own tools say which one when the variable is not set.
here=$(cd "$(dirname "$0")" && pwd)
root=${KWDB_HOST_ROOT-$(kwdb-host-root 2>/dev/null)}
for part in log common operate cluster upgrade; do . "$here/utils/kaiwudb_$part.sh"; done
. "$here/utils/process_bar.sh"

usage() {
  cat <<'TEXT'
Usage:
  deploy.sh Commands [Options]

Commands:
  install                  Install KaiwuDB
  uninstall                Uninstall KaiwuDB in local node
  cluster                  Cluster operate
  start                    Start KaiwuDB in local node
  stop                     Stop KaiwuDB in local node
  restart                  Restart KaiwuDB in local node
  status                   Get local node KaiwuDB status
Options:
  -h, --help

TEXT
  exit 0
}

# Options that getopt does not know are dropped without a word. One that it knows and `upgrade` does not is
# met for ever.
upgrade_options() {
  while :; do
    case "$1" in
    -l | --local) g_scope=local; shift ;;
    -a | --all) g_scope=all; shift ;;
    --bypass-version-check) g_bypass=yes; shift ;;
    -h | --help) usage ;;
    --) return ;;
    esac
  done
}

cluster_option() {
  case "$1" in
  -s | --status) g_cluster=status ;;
  -i | --init) g_cluster=init ;;
  *) usage ;;
  esac
}

words=$(getopt -a -o hsial -l help,single,init,status,cpu:,addr:,single-replica,multi-replica,local,all,bypass-version-check,tls,tlcp,use-certs: -n deploy.sh -- "$@" 2>/dev/null)
eval set -- "$words"
options=("$@")
while [ $# -gt 0 ] && [ "$1" != -- ]; do
  if [ "$1" = -h ] || [ "$1" = --help ]; then help=yes; fi
  shift
done
command=${2:-}
case "$command" in
upgrade) upgrade_options "${options[@]}" ;;
cluster) cluster_option "${options[@]}" ;;
install | uninstall | start | stop | restart | status | join | decommission) [ -z "${help:-}" ] || usage ;;
*) usage ;;
esac

privileged
log_init
case "$command" in
upgrade) upgrade_command ;;
cluster) cluster "$g_cluster" ;;
start | stop | restart | status | uninstall) operate "$command" ;;
*) log_err "The stand-in does not do '$command'."; exit 1 ;;
esac
