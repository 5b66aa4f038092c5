/** A compose file: whose services it has, which image each is made from, and that one line of it changed. */
import { parse } from "yaml";
import { z } from "zod";
import { fail, type Outcome, succeed } from "#proto/common/failure.ts";

const schema = z.looseObject({
  services: z.record(z.string(), z.looseObject({ image: z.string().optional() })),
});

export interface ComposeFile {
  readonly services: readonly string[];
  /** Every line that `sed` would take for an image line, comments left out. */
  readonly images: readonly string[];
}

/** Refused: `kwdb.compose-unreadable`. */
export function readCompose(text: string): Outcome<ComposeFile> {
  try {
    const read = schema.safeParse(parse(text));
    if (!read.success) return fail("kwdb.compose-unreadable", { cause: "it has no services" });
    return succeed({
      services: Object.keys(read.data.services),
      images: imageLines(text).map(({ image }) => image),
    });
  } catch (error) {
    const cause = error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
    return fail("kwdb.compose-unreadable", { cause });
  }
}

interface ImageLine {
  readonly at: number;
  readonly before: string;
  readonly image: string;
}

function imageLines(text: string): readonly ImageLine[] {
  return text.split("\n").flatMap((line, at) => {
    const [, before = "", image] = /^(\s*image:\s*)["']?([^\s"'#]+)["']?\s*(?:#.*)?$/.exec(line) ?? [];
    return image === undefined ? [] : [{ at, before, image }];
  });
}

/** The one image line says another image; nothing else of the text changes. Refused: `kwdb.compose-images`. */
export function withImage(text: string, image: string): Outcome<string> {
  const found = imageLines(text);
  const [line] = found;
  if (line === undefined || found.length > 1)
    return fail("kwdb.compose-images", { found: found.map((each) => each.image).join(", ") || "none" });
  return succeed(
    text
      .split("\n")
      .map((each, at) => (at === line.at ? `${line.before}${image}` : each))
      .join("\n"),
  );
}
