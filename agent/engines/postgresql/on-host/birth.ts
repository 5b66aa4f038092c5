/** What a data folder is made with and can never change afterwards: the new one is made with the same. */
import type { PgBirth } from "#proto/engines/postgresql-made.ts";
import { type Row, type Sql, versionOf } from "../sql.ts";

const providers: Readonly<Record<string, PgBirth["provider"]>> = { c: "libc", i: "icu", b: "builtin" };

/** Asked of template0, from which every database of the new server is made. */
export async function readBirth(sql: Sql): Promise<PgBirth> {
  const version = await versionOf(sql);
  const locale = version >= 170_000 ? "datlocale" : version >= 150_000 ? "daticulocale" : "NULL::text";
  const rules = version >= 160_000 ? "daticurules" : "NULL::text";
  const [row] = await sql.rows(`
    SELECT (SELECT rolname FROM pg_roles WHERE oid = 10) AS owner, pg_encoding_to_char(encoding) AS encoding,
           datcollate AS collate, datctype AS ctype, ${version >= 150_000 ? "datlocprovider" : "'c'"} AS provider,
           ${locale} AS locale, ${rules} AS rules, data_page_checksum_version::text AS checksums,
           bytes_per_wal_segment::text AS segment,
           ${version >= 110_000 ? "current_setting('data_directory_mode')" : "'0700'"} AS mode
      FROM pg_database, pg_control_init() WHERE datname = 'template0'`);
  return birthOf(row ?? {});
}

function birthOf(row: Row): PgBirth {
  return {
    owner: row["owner"] ?? "",
    encoding: row["encoding"] ?? "",
    collate: row["collate"] ?? "",
    ctype: row["ctype"] ?? "",
    provider: providers[row["provider"] ?? ""] ?? "libc",
    locale: row["locale"] ?? null,
    icuRules: row["rules"] ?? null,
    hasChecksums: row["checksums"] !== "0",
    walSegmentBytes: Number(row["segment"]),
    isGroupReadable: /^0?750$/.test(row["mode"] ?? ""),
  };
}

/** Checksums are said either way: their default has changed with 18. */
export function initdbArgv(
  server: { readonly bin: string; readonly data: string },
  of: PgBirth,
  newMajor: number,
): readonly [string, ...string[]] {
  return [
    `${server.bin}/initdb`,
    `--pgdata=${server.data}`,
    `--username=${of.owner}`,
    "--auth-local=peer",
    "--auth-host=reject",
    `--encoding=${of.encoding}`,
    `--lc-collate=${of.collate}`,
    `--lc-ctype=${of.ctype}`,
    ...(newMajor >= 15 ? [`--locale-provider=${of.provider}`, ...localeWords(of)] : []),
    ...(of.hasChecksums ? ["--data-checksums"] : newMajor >= 18 ? ["--no-data-checksums"] : []),
    ...(newMajor >= 11 ? [`--wal-segsize=${of.walSegmentBytes / 1024 ** 2}`] : []),
    ...(of.isGroupReadable ? ["--allow-group-access"] : []),
  ];
}

function localeWords({ provider, locale, icuRules }: PgBirth): readonly string[] {
  if (provider === "libc" || locale === null) return [];
  const word = provider === "icu" ? "--icu-locale" : "--builtin-locale";
  return [`${word}=${locale}`, ...(icuRules === null || icuRules === "" ? [] : [`--icu-rules=${icuRules}`])];
}
