/**
 * One process per state folder. The kernel's own table of socket names is the lock: it cannot be left over by a
 * crash, and two who try at once cannot both have it.
 */
import { stat } from "node:fs/promises";
import { createServer } from "node:net";

/** The way to give it back; undefined when another process of that role has the folder. */
export async function takeFolder(
  folder: string,
  role: "agent" | "coordinator",
): Promise<(() => void) | undefined> {
  const { dev, ino } = await stat(folder);
  const server = createServer((socket) => socket.destroy());
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) =>
      error.code === "EADDRINUSE" ? resolve(undefined) : reject(error),
    );
    // A leading zero byte: the abstract name space of Linux, without a file (unix(7)).
    server.listen(`\0lockkeeper-${role}:${dev}:${ino}`, () => {
      server.unref();
      resolve(() => server.close());
    });
  });
}
