/** What a coordinator is given from outside: its file, time, chance, a log. */
import type { Clock, Random } from "#proto/common/clock.ts";
import type { Log } from "#proto/common/log.ts";
import type { CoordinatorConfig } from "../config.ts";

export interface ServeMeans {
  readonly config: CoordinatorConfig;
  /** Where `config` was read from, for what is told of it. */
  readonly configFile: string;
  readonly clock: Clock;
  readonly random: Random;
  /** Random text of the given number of characters, a-z and 0-9. */
  readonly token: (characters: number) => string;
  readonly hostName: string;
  readonly pid: number;
  readonly log: Log;
  /** Finds or fetches a nats-server; called only when none is configured. */
  readonly natsBinary: () => Promise<string>;
}
