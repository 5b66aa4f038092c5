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
  /** To the value, its quote included. */
  readonly before: string;
  readonly image: string;
  /** The quote that ends it, and a comment. */
  readonly after: string;
}

/** A `#` that follows the value at once belongs to it; then it is no image that can be written over. */
const imageLine = /^(\s*image:\s*)(["']?)([^\s"'#]+)\2((?:\s+#.*)?\s*)$/;

function imageLines(text: string): readonly ImageLine[] {
  return text.split("\n").flatMap((line, at) => {
    const [, before = "", quote = "", image, blank = ""] = imageLine.exec(line) ?? [];
    return image === undefined ? [] : [{ at, before: before + quote, image, after: quote + blank }];
  });
}

/** The one image line says another image; nothing else changes, of that line neither. Refused: `kwdb.compose-images`. */
export function withImage(text: string, image: string): Outcome<string> {
  const found = imageLines(text);
  const [line] = found;
  if (line === undefined || found.length > 1)
    return fail("kwdb.compose-images", { found: found.map((each) => each.image).join(", ") || "none" });
  return succeed(
    text
      .split("\n")
      .map((each, at) => (at === line.at ? `${line.before}${image}${line.after}` : each))
      .join("\n"),
  );
}
