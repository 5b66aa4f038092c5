/** Databases by name: as an argument, in a statement, in a path. */
import { createHash } from "node:crypto";
import { z } from "zod";
import { jsonArg } from "./json-arg.ts";

/** A database, by the name that SHOW DATABASES prints. */
export const database = z.string().regex(/^\P{Cc}{1,128}$/u);
/** Several, as a JSON list: a name may hold any sign that a list could be written with. */
export const databases = jsonArg("a JSON list of names", z.array(database).max(10_000));
export const flag = z.enum(["true", "false"]).transform((text) => text === "true");

export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** A name that is safe in paths and in addresses, and another one for each database. */
export function slug(name: string): string {
  const plain = name.replace(/[^A-Za-z0-9]+/g, "-").slice(0, 40);
  return `${plain}-${createHash("sha256").update(name).digest("hex").slice(0, 8)}`;
}
