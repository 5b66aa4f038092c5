# What the host is, from its files; readers give nothing for an unknown value. $root is empty on a real host.

# knob NAME: a fault of this host; one that ends in "once" is taken away by whoever asks
knob() {
  local line value='' file=$root/etc/kwdb-double/faults
  [ -s "$file" ] || return 0
  while IFS= read -r line; do [ "${line%%=*}" != "$1" ] || value=${line#*=}; done <"$file"
  [ "${value% once}" = "$value" ] || sed -i "/^$1=/d" "$file"
  echo "${value% once}"
}

mode_line() { sed -n "${1}p" "$root/etc/kaiwudb/info/MODE" 2>/dev/null; }
install_type() { mode_line 1 | grep -xE 'bare|container'; }
running_type() { mode_line 2 | grep -xE 'single|single-replication|multi-replication'; }
local_addr() { mode_line '$'; }

secure_opt() {
  case "$(mode_line 8)" in
  tls) echo "--certs-dir=$root/etc/kaiwudb/certs" ;;
  tlcp) echo "--certs-dir=$root/etc/kaiwudb/certs --tlcp" ;;
  *) echo --insecure ;;
  esac
}

install_check() { [ -e "$root/etc/systemd/system/kaiwudb.service" ]; }

must_be_installed() {
  install_check || { log_err "KaiwuDB does not exist. Please install KaiwuDB first."; exit 1; }
}

verify_files() {
  [ -d "$here/packages" ] || { log_err "$here/packages: No such directory."; exit 1; }
  local files
  files=$(ls "$here/packages")
  if grep -wq 'KaiwuDB.tar' <<<"$files"; then g_kind=container; return; fi
  g_kind=bare
  if dpkg --help >/dev/null 2>&1; then g_tool=dpkg; else g_tool=rpm; fi
  local part
  for part in server libcommon; do
    grep -q "$part" <<<"$files" || { log_err "Package $part does not exist."; exit 1; }
  done
}

kw_running() {
  if [ "$(install_type)" = bare ]; then
    [ "$(systemctl show --property MainPID --value kaiwudb)" -ne 0 ]
  else
    # a part of a name is enough for the filter, and two that match are none
    local found
    found=$(docker ps -a --filter name=kaiwudb-container --format '{{.Status}}')
    [ "$(wc -l <<<"$found")" -eq 1 ] && grep -q '^Up' <<<"$found"
  fi
}

# kwbase WORDS…: as the management user, from the folder of the binary
kwbase() {
  sudo -u "$(mode_line 7)" bash -c "cd $root/usr/local/kaiwudb/bin && ./kwbase $* --host=127.0.0.1:$(mode_line 5) $(secure_opt)" 2>&1
}

# Releases before 3.1 report every node as up, whatever it says.
whether_running() {
  local out
  out=$(kwbase node status) && return 0
  case "$(head -n 1 "$here/packages/.version" 2>/dev/null)" in 2.* | 3.0.*) return 0 ;; esac
  echo "$out"
  return 1
}

# A working sudo is needed even by root. Without one that asks nothing, one line of standard input is the password.
privileged() {
  g_sudo=sudo
  if [ "$(id -u)" -ne 0 ] && ! timeout --foreground -k 1 1 sudo -n bash -c exit >/dev/null 2>&1; then
    local password
    read -r -s -t60 -p "Please input $(id -un)'s password: " password
    echo
    g_sudo="sudo_with $(printf %q "$password")"
    sudo_with "$password" -k bash -c exit >/dev/null 2>&1 || { printf '\033[31m[ERROR]\033[0m Incorrect password.\n' >&2; exit 1; }
  fi
  eval "$g_sudo" bash -c exit >/dev/null 2>&1 || { printf "\033[31m[ERROR]\033[0m Can not use command: 'sudo bash'.\n" >&2; exit 1; }
}

sudo_with() { local password=$1; shift; printf '%s\n' "$password" | sudo -S -p '' "$@"; }
