/** Maintenance windows such as "Mon-Fri 22:00-05:00 Asia/Shanghai": whether one is open at a moment. */

const days = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"] as const;

const pattern = /^(?:(\w{3})(?:-(\w{3}))? )?(\d\d):(\d\d)-(\d\d):(\d\d)(?: (\S+))?$/;

/** True when there is no window at all, or one of them is open. A text that cannot be read is never open. */
export function isOpen(windows: readonly string[], nowMs: number): boolean {
  return windows.length === 0 || windows.some((window) => isOneOpen(window, nowMs));
}

function isOneOpen(window: string, nowMs: number): boolean {
  const found = pattern.exec(window);
  if (found === null) return false;
  const [, firstDay, lastDay, fromHour, fromMinute, toHour, toMinute, zone] = found;
  const from = Number(fromHour) * 60 + Number(fromMinute);
  const to = Number(toHour) * 60 + Number(toMinute);
  const { day, minute } = localMoment(nowMs, zone ?? "UTC");
  if (day === -1) return false;
  // a window over midnight belongs to the day on which it began
  if (from <= to) return minute >= from && minute < to && isDay(day, firstDay, lastDay);
  if (minute >= from) return isDay(day, firstDay, lastDay);
  return minute < to && isDay((day + 6) % 7, firstDay, lastDay);
}

function isDay(day: number, firstDay: string | undefined, lastDay: string | undefined): boolean {
  if (firstDay === undefined) return true;
  const first = days.indexOf(firstDay as (typeof days)[number]);
  const last = days.indexOf((lastDay ?? firstDay) as (typeof days)[number]);
  if (first === -1 || last === -1) return false;
  return first <= last ? day >= first && day <= last : day >= first || day <= last;
}

function localMoment(nowMs: number, timeZone: string): { readonly day: number; readonly minute: number } {
  try {
    const format = new Intl.DateTimeFormat("en-GB", {
      timeZone,
      weekday: "short",
      hour: "2-digit",
      minute: "2-digit",
      hourCycle: "h23",
    });
    const parts = Object.fromEntries(format.formatToParts(nowMs).map(({ type, value }) => [type, value]));
    return {
      day: days.indexOf(parts["weekday"] as (typeof days)[number]),
      minute: Number(parts["hour"]) * 60 + Number(parts["minute"]),
    };
  } catch {
    return { day: -1, minute: 0 };
  }
}
