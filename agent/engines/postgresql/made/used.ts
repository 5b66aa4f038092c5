/** Has somebody put something into a server that was made by us? By its files, so that it need not run to be asked. */
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { namesIn } from "../../../host/names-in.ts";
import type { Host } from "../../../verb.ts";

/** Numbers from here on are given to what is made after `initdb`: databases, tables. */
export const firstOfUsers = 16_384;

/** Table of initdb's own in which the bytes of users lie; empty at first. */
const largeObjects = "2613";

/** Each by its folder; empty where there is nothing but what `initdb` has made. */
export async function usedIn(host: Host, data: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const folder of [join(data, "base"), ...(await spacesIn(host, data))])
    for (const database of await numbersIn(host, folder)) {
      const at = join(folder, String(database));
      if (database >= firstOfUsers) found.push(`database in ${at}`);
      else if ((await numbersIn(host, at)).some((each) => each >= firstOfUsers))
        found.push(`tables in ${at}`);
      else if (await isFilled(host, join(at, largeObjects))) found.push(`large objects in ${at}`);
    }
  return found;
}

/** pg_tblspc/16400/PG_18_202506291 */
async function spacesIn(host: Host, data: string): Promise<readonly string[]> {
  const links = join(data, "pg_tblspc");
  const found: string[] = [];
  for (const name of await entriesIn(host, links))
    for (const version of await entriesIn(host, join(links, name))) found.push(join(links, name, version));
  return found;
}

async function isFilled(host: Host, file: string): Promise<boolean> {
  const found = await stat(host.path(file)).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  return (found?.size ?? 0) > 0;
}

async function numbersIn(host: Host, folder: string): Promise<readonly number[]> {
  return (await entriesIn(host, folder)).flatMap((name) => {
    const number = /^(\d+)(?:[._]\w+)*$/.exec(name)?.[1];
    return number === undefined ? [] : [Number(number)];
  });
}

/** What is not there, or is no folder, has nothing in it; what cannot be read is not known, and thrown. */
async function entriesIn(host: Host, folder: string): Promise<readonly string[]> {
  return namesIn(host.path(folder)).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOTDIR") return [];
    throw error;
  });
}
