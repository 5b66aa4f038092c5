/** What a data folder is made with and can never change afterwards: the new one is made with the same. */
import { z } from "zod";
import { versionOf } from "../facts.ts";
import type { Sql } from "../sql.ts";
import type { Control } from "./control.ts";
import type { Place } from "./place.ts";

export const birth = z.object({
  /** The role that `initdb` made; pg_upgrade wants the same on both sides. */
  owner: z.string(),
  encoding: z.string(),
  collate: z.string(),
  ctype: z.string(),
  provider: z.enum(["libc", "icu", "builtin"]),
  /** Of icu and builtin. */
  locale: z.string().nullable(),
  icuRules: z.string().nullable(),
  hasChecksums: z.boolean(),
  walSegmentBytes: z.number(),
  /** Its group may read the folder. */
  isGroupReadable: z.boolean(),
});
export type Birth = z.infer<typeof birth>;

const providers: Readonly<Record<string, Birth["provider"]>> = { c: "libc", i: "icu", b: "builtin" };

/** Asked of template0, from which every database of the new server is made. */
export async function readBirth(sql: Sql, control: Control): Promise<Birth> {
  const version = await versionOf(sql);
  const locale = version >= 170_000 ? "datlocale" : version >= 150_000 ? "daticulocale" : "NULL::text";
  const rules = version >= 160_000 ? "daticurules" : "NULL::text";
  const [row] = await sql.rows(`
    SELECT (SELECT rolname FROM pg_roles WHERE oid = 10) AS owner, pg_encoding_to_char(encoding) AS encoding,
           datcollate AS collate, datctype AS ctype, ${version >= 150_000 ? "datlocprovider" : "'c'"} AS provider,
           ${locale} AS locale, ${rules} AS rules,
           ${version >= 110_000 ? "current_setting('data_directory_mode')" : "'0700'"} AS mode
      FROM pg_database WHERE datname = 'template0'`);
  return {
    owner: row?.["owner"] ?? "",
    encoding: row?.["encoding"] ?? "",
    collate: row?.["collate"] ?? "",
    ctype: row?.["ctype"] ?? "",
    provider: providers[row?.["provider"] ?? ""] ?? "libc",
    locale: row?.["locale"] ?? null,
    icuRules: row?.["rules"] ?? null,
    hasChecksums: control.checksumVersion !== 0,
    walSegmentBytes: control.walSegmentBytes,
    isGroupReadable: /^0?750$/.test(row?.["mode"] ?? ""),
  };
}

/** Checksums are said either way: their default has changed with 18. */
export function initdbArgv(
  { new: server }: Place,
  of: Birth,
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

function localeWords({ provider, locale, icuRules }: Birth): readonly string[] {
  if (provider === "libc" || locale === null) return [];
  const word = provider === "icu" ? "--icu-locale" : "--builtin-locale";
  return [`${word}=${locale}`, ...(icuRules === null || icuRules === "" ? [] : [`--icu-rules=${icuRules}`])];
}
