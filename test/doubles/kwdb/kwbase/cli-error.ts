/** A refusal in the words and on the channel of kwbase: `ERROR: …` on stderr, exit 1. */
export interface ErrorParts {
  readonly message: string;
  readonly sqlstate?: string;
  readonly detail?: string;
  readonly hint?: string;
}

export class CliError extends Error {
  readonly parts: ErrorParts;

  constructor(parts: ErrorParts | string) {
    const whole = typeof parts === "string" ? { message: parts } : parts;
    super(whole.message);
    this.parts = whole;
  }
}

export function renderError(error: unknown, commandPath: string): string {
  const parts =
    error instanceof CliError
      ? error.parts
      : { message: error instanceof Error ? error.message : String(error) };
  const lines = [`ERROR: ${parts.message}`];
  if (parts.sqlstate !== undefined) lines.push(`SQLSTATE: ${parts.sqlstate}`);
  if (parts.detail !== undefined) lines.push(`DETAIL: ${parts.detail}`);
  if (parts.hint !== undefined) lines.push(`HINT: ${parts.hint}`);
  return `${lines.join("\n")}\nFailed running "${commandPath}"\n`;
}
