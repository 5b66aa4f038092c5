/** What systemd is told of this service: that it is ready, and that its event loop still turns. */
import type { Clock } from "#proto/common/clock.ts";
import type { Look } from "../verb.ts";

export interface NoticeOptions {
  /** NOTIFY_SOCKET and WATCHDOG_USEC as systemd has set them; without a socket nothing is told. */
  readonly socket: string | undefined;
  readonly watchdogMs: number | undefined;
  readonly clock: Clock;
  readonly run: (argv: readonly [string, ...string[]], deadlineMs: number) => Promise<Look>;
}

export async function noticeReady({ socket, run }: NoticeOptions, status: string): Promise<void> {
  if (socket !== undefined) await run(["systemd-notify", "--ready", `--status=${status}`], 5_000);
}

/** Each beat needs a turn of the event loop to be sent: a loop that hangs falls silent, and systemd acts. */
export async function noticeAlive(
  { socket, watchdogMs, clock, run }: NoticeOptions,
  signal: AbortSignal,
): Promise<void> {
  if (socket === undefined || watchdogMs === undefined) return;
  while (!signal.aborted) {
    await run(["systemd-notify", "WATCHDOG=1"], watchdogMs / 2);
    await clock.sleep(watchdogMs / 2, signal).catch(() => undefined);
  }
}
