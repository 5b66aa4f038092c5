# The upgrade of one node: what the vendor's script does, in its order, with its messages, its one lie
# ("Pipe create failed" for a package that would not install), its race and its lack of a way back.

# version_compare: nothing and 0 when allowed, else the reason. `sort -V` on line 1; tags only when that is equal.
version_compare() {
  local old new old_tag new_tag
  old=$(sed -n 1p "$root/etc/kaiwudb/info/.version" 2>/dev/null)
  old_tag=$(sed -n 2p "$root/etc/kaiwudb/info/.version" 2>/dev/null)
  new=$(sed -n 1p "$here/packages/.version")
  new_tag=$(sed -n 2p "$here/packages/.version" 2>/dev/null)
  if [ ! -f "$here/packages/.version" ] || { [ "$old" != "$new" ] && [ "$(printf '%s\n' "$old" "$new" | sort -V | head -n 1)" = "$new" ]; }; then
    echo "UPGRADE ERROR:The requested upgrade version is older than the current installed version.(current:$old new_version:$new)"
    return 1
  fi
  [ "$old" != "$new" ] || tags_compare "$old_tag" "$new_tag"
}

tags_compare() {
  local old=$1 new=$2 old_kind=${1%%[0-9]*} new_kind=${2%%[0-9]*} old_number=${1##*[a-z]} new_number=${2##*[a-z]}
  if [ "$old" = "$new" ]; then echo "UPGRADE ERROR:The upgrade conditions are not met.($old --> $new)"; return 1; fi
  case "$old_kind-$new_kind" in
  -alpha | -beta) echo "UPGRADE ERROR:Official version can not upgrade to $new."; return 1 ;;
  alpha-beta | alpha- | beta- | -* | *-) return 0 ;;
  alpha-alpha | beta-beta | patch-patch) [ "$new_number" -le "$old_number" ] || return 0 ;;
  hotfix-* | enhance-* | patch-*)
    case "$new_kind" in hotfix | enhance | patch)
      echo "WARNING:This version upgrade is not supported, and if you continue to upgrade, you can use the --bypass-version-check option to re-execute the upgrade command to skip the version comparison check."
      return 1 ;;
    esac ;;
  alpha-* | beta-*) [ "$new_kind" = alpha ] || return 0 ;;
  esac
  echo "UPGRADE ERROR:The upgrade conditions are not met.($old --> $new)"
  return 1
}

package_tool() {
  case "$g_tool-$1" in
  dpkg-remove) eval "$g_sudo" dpkg -r "$2" ;;
  dpkg-install) eval "$g_sudo" dpkg -i "$2" ;;
  rpm-remove) eval "$g_sudo" rpm -e "$2" ;;
  rpm-install) eval "$g_sudo" rpm -ivh "$2" ;;
  esac
}

# The name is what stands after ": " in what docker says. Of the old one nothing is left, and MODE keeps its name.
upgrade_container() {
  local out image old script=$root/etc/kaiwudb/script
  if [ "$(knob docker_load)" = fails ]; then echo "docker load failed: Error processing tar file(exit status 1): unexpected EOF"; return 1; fi
  out=$(sudo docker load <KaiwuDB.tar 2>&1) || { echo "docker load failed: $out"; return 1; }
  image=${out#*: }
  cd "$script" || return 1
  old=$(sudo docker ps -a --filter name=kaiwudb-container --format '{{.Image}}')
  if [ -n "$old" ]; then sudo docker-compose down >/dev/null 2>&1; else old=$(mode_line 3); fi
  sudo docker rmi "$old" >/dev/null 2>&1
  sudo sed -i "s#image:.*#image: $image#" docker-compose.yml >/dev/null 2>&1
  sudo sed -iq 's/\/etc\/kwdb\//\/etc\/kaiwudb\//g' docker-compose.yml >/dev/null 2>&1
  case "$(knob version_copy)" in
  fails | disk_full) ;;
  *) sudo cp -f "$here/packages/.version" "$root/etc/kaiwudb/info/.version" >/dev/null 2>&1 ;;
  esac
  return 0
}

# Old packages go first. After the two installs nothing is looked at any more: the result is always success.
upgrade() {
  local name out unit=$root/etc/systemd/system/kaiwudb.service env=$root/etc/kaiwudb/script/kaiwudb_env
  cd "$here/packages" || return 1
  if [ "$g_kind" = container ]; then upgrade_container; return; fi
  for name in kaiwudb-server kaiwudb-libcommon kwdb-server kwdb-libcommon; do package_tool remove "$name" >/dev/null 2>&1; done
  strike removal
  for name in libcommon server; do
    out=$(package_tool install ./$(ls | grep "$name") 2>&1) || { echo "$out"; return 1; }
    strike "$name"
  done
  sudo chown -R "$(mode_line 7):$(mode_line 7)" "$root/usr/local/kaiwudb" >/dev/null 2>&1
  if [ ! -f "$env" ]; then
    sudo bash -c "echo 'KAIWUDB_START_ARG=\"\"' > $env" >/dev/null 2>&1
    sudo sed -iq 's/^ExecStart=[^ ]* [^ ]*/& $KAIWUDB_START_ARG/' "$unit" >/dev/null 2>&1
    grep -q '^EnvironmentFile' "$unit" || sudo sed -i "s|^ExecStart=|EnvironmentFile=$env\n&|" "$unit" >/dev/null 2>&1
  fi
  sudo sed -iq 's/\/etc\/kwdb\//\/etc\/kaiwudb\//g' "$unit" >/dev/null 2>&1
  sudo sed -iq 's/\/usr\/local\/kwdb\//\/usr\/local\/kaiwudb\//g' "$unit" >/dev/null 2>&1
  sudo sed -i 's/KW_START_ARG/KAIWUDB_START_ARG/' "$env" "$unit" >/dev/null 2>&1
  case "$(knob version_copy)" in
  fails | disk_full) ;;
  *) sudo cp -f "$here/packages/.version" "$root/etc/kaiwudb/info/.version" >/dev/null 2>&1 ;;
  esac
  return 0
}

change_status() {
  local rows id out
  rows=$(kwbase node status) && rows=$(kwbase node status) || { echo "Get node id failed: $rows."; return 1; }
  id=$(awk -v ip="$(local_addr)" '{split($3, part, ":"); if (part[1] == ip) print $1}' <<<"$rows")
  out=$(kwbase node upgrade "$id") || { echo "$out"; return 1; }
}

recover_node() {
  local env=$root/etc/kaiwudb/script/kaiwudb_env
  sudo sed -iq 's/^KAIWUDB_START_ARG="/&--upgrade-complete /' "$env"
  sudo systemctl daemon-reload
  sudo systemctl restart kaiwudb >/dev/null 2>&1 || { echo "restart failed"; return 1; }
  wait_until_running || { echo "KaiwuDB is not running"; return 1; }
  sudo sed -iq 's/--upgrade-complete//' "$env"
}

upgrade_local() {
  local why
  if [ "$g_bypass" != yes ]; then
    bar 'version#compare' 50
    why=$(version_compare 2>&1) || { log_err "$why"; exit 1; }
  fi
  bar 'whether#running' 60
  if ! kw_running >/dev/null 2>&1; then
    bar upgrade 70
    if [ "$(knob banner_only)" != yes ]; then why=$(upgrade) || { log_err "Pipe create failed: $why."; exit 1; }; fi
  elif [ "$(running_type)" != single ]; then
    bar 'change#KaiwuDB#status' 75
    why=$(change_status) || { log_err "KaiwuDB change status failed: $why."; exit 1; }
    bar upgrade 80
    why=$(upgrade) || { log_err "KaiwuDB upgrade failed: $why."; exit 1; }
    bar 'restart#KaiwuDB' 90
    why=$(recover_node) || { log_err "Recover KaiwuDB failed: $why."; exit 1; }
  else
    log_err "Current local node is not support online upgrade! Please stop KaiwuDB then try again."
    exit 1
  fi
  bar 'upgrade#complete' 100
  wait
  completed UPGRADE "Local node upgrade successfully."
}

# Only this node's part is done; of the others the vendor's script would not notice a failure anyway.
upgrade_all() {
  local why
  bar 'get#Kaiwudb#status' 45
  kw_running >/dev/null 2>&1 || { log_err "KaiwuDB is not runnning, can not get cluster nodes status."; exit 1; }
  bar 'version#compare' 70
  why=$(version_compare 2>&1) || log_err "$why"
  bar 'change#status' 75
  why=$(change_status) || { log_err "KaiwuDB change status failed: $why."; exit 1; }
  bar 'local#upgrade' 80
  why=$(upgrade) || { log_err "KaiwuDB upgrade failed: $why."; exit 1; }
  bar 'local#restart' 85
  why=$(recover_node) || { log_err "Recover KaiwuDB failed: $why."; exit 1; }
  bar 'remote#upgrade' 90
  bar 'upgrade#done' 100
  wait
  completed UPGRADE "Cluster upgrade completed."
}

upgrade_command() {
  trap '' INT
  bar_start
  bar 'install#check' 10
  must_be_installed
  bar 'verify#packages' 20
  verify_files
  bar 'verify#install#type' 30
  [ "$g_kind" = "$(install_type)" ] || { log_err "Current use $(install_type), but the package is $g_kind."; exit 1; }
  case "$g_scope" in
  local) upgrade_local ;;
  all) upgrade_all ;;
  esac
  exit 0
}
