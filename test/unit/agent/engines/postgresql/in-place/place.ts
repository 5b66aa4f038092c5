/** Both versions on a host, as Debian lays them out and as others do. */
export const debian = {
  unit: "postgresql@17-main",
  newUnit: "postgresql@18-main",
  bin: "/usr/lib/postgresql/17/bin",
  newBin: "/usr/lib/postgresql/18/bin",
  data: "/var/lib/postgresql/17/main",
  newData: "/var/lib/postgresql/18/main",
  config: "/etc/postgresql/17/main",
  newConfig: "/etc/postgresql/18/main",
};

export const plain = {
  unit: "postgresql-17",
  newUnit: "postgresql-18",
  bin: "/usr/pgsql-17/bin",
  newBin: "/usr/pgsql-18/bin",
  data: "/var/lib/pgsql/17/data",
  newData: "/var/lib/pgsql/18/data",
};

export function placeSettings<T extends object>(given: T): T & { readonly account: string } {
  return { ...given, account: "postgres" };
}
