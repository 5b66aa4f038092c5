// A host's own record of what happened on it.

export interface JournalQuery {
  readonly unit?: string;
  /** Only what was written at this moment or later. */
  readonly since?: Date;
}

export interface JournalEntry {
  /** When the host's journal took it. */
  readonly at: Date;
  readonly message: string;
  /** All fields, by systemd's names; binary ones are left out. */
  readonly fields: Readonly<Record<string, string>>;
}

export function journalArgv(query: JournalQuery): string[] {
  const unit = query.unit === undefined ? [] : [`--unit=${query.unit}`];
  const since = query.since === undefined ? [] : [`--since=@${(query.since.getTime() / 1000).toFixed(3)}`];
  return ["journalctl", "--output=json", "--no-pager", "--quiet", ...unit, ...since];
}

/** Reads journalctl's one JSON object a line. */
export function parseJournal(text: string): readonly JournalEntry[] {
  const lines = text.split("\n").filter((line) => line !== "");
  return lines.map((line) => {
    const raw = JSON.parse(line) as Record<string, unknown>;
    const texts = Object.entries(raw).filter(
      (entry): entry is [string, string] => typeof entry[1] === "string",
    );
    const fields = Object.fromEntries(texts);
    return {
      at: new Date(Number(fields.__REALTIME_TIMESTAMP ?? 0) / 1000),
      message: fields.MESSAGE ?? "",
      fields,
    };
  });
}
