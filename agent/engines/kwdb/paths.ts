/** Where the vendor's installer puts things, as paths of the host. */
export const paths = {
  etc: "/etc/kaiwudb",
  mode: "/etc/kaiwudb/info/MODE",
  nodeFile: "/etc/kaiwudb/info/NODE",
  versionFile: "/etc/kaiwudb/info/.version",
  environment: "/etc/kaiwudb/script/kaiwudb_env",
  composeFile: "/etc/kaiwudb/script/docker-compose.yml",
  programs: "/usr/local/kaiwudb",
  bin: "/usr/local/kaiwudb/bin",
  binary: "/usr/local/kaiwudb/bin/kwbase",
  certs: "/etc/kaiwudb/certs",
} as const;

export function unitFile(unit: string): string {
  return `/etc/systemd/system/${unit}.service`;
}
