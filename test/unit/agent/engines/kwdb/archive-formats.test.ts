/** What lies beside an archive is read years later, and by other versions than the one that has made it. */
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { differenceOf, readManifest, writeManifest } from "#agent/engines/kwdb/archive-manifest.ts";
import { newRecord, parseRecord } from "#agent/engines/kwdb/archive-record.ts";
import { parseAttributes } from "#agent/engines/kwdb/attributes.ts";
import type { Entry } from "#agent/engines/kwdb/tree.ts";
import { FailureError } from "#proto/common/failure.ts";
import { goldenText, holdsToGolden } from "#test/golden.ts";

const rollout = "20260131-221500-ab12";
const atMs = Date.parse("2026-01-31T22:15:00.000Z");
const sha256 = "6a2da20943931e9834fc12cfe5bb47bbd9ae43489a30726962b576f4e3993e50";
const versions = { from: "3.0.0", to: "3.1.0", rollout };

holdsToGolden("an archive's record", {
  file: "agent/engines/kwdb/archive-record",
  format: 1,
  refusal: "kwdb.archive-record-format",
  made: () => [
    newRecord(
      {
        ...{
          cluster: "billing",
          node: "db1",
          ...versions,
          kind: "cluster-stop",
          dataRoot: "/var/lib/kaiwudb",
        },
        ...{
          stage: "all-nodes/archive",
          attempt: 1,
          begunBefore: "nothing",
          bytes: 20_480,
          dataBytes: 16_384,
        },
        manifest: { sha256, entries: 3, attributes: true },
      },
      atMs,
    ),
    {
      ...newRecord(
        {
          ...{ cluster: "账单", node: "数据1", ...versions, kind: "node-image", dataRoot: "/srv/kwdb" },
          ...{
            stage: "node-数据1",
            attempt: 2,
            begunBefore: "irreversible",
            bytes: 10_240,
            dataBytes: 4_096,
          },
          manifest: { sha256, entries: 1, attributes: false },
        },
        atMs,
      ),
      proven: { at: "2026-01-31T22:20:00.000Z", attempt: 2 },
    },
  ],
  read: (kept) => {
    const record = parseRecord(kept);
    if (!record.ok) throw new FailureError(record.failure);
    return record.value;
  },
});

const own = { uid: 990, gid: 990 };
const entries: readonly Entry[] = [
  { path: ".", type: "folder", mode: "0750", ...own, mtimeNs: "1769897700000000000" },
  {
    ...{ path: "data", type: "file", mode: "0640", ...own, mtimeNs: "1769897700123456789", size: 5 },
    sha256: "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
    attributes: { "user.note": "0x6869" },
  },
  {
    path: "link",
    type: "link",
    mode: "0777",
    uid: 0,
    gid: 0,
    mtimeNs: "1769897700000000000",
    target: "data",
  },
];

async function* each(list: readonly Entry[]): AsyncGenerator<Entry> {
  yield* list;
}

async function all(path: string): Promise<readonly Entry[]> {
  const found: Entry[] = [];
  for await (const entry of readManifest(path)) found.push(entry);
  return found;
}

describe("the format of an archive's manifest", () => {
  const text = goldenText("agent/engines/kwdb/archive-manifest-format-1.jsonl");
  const file = () => join(mkdtempSync(join(tmpdir(), "kwdb-manifest-")), "m");
  const withText = (content: string) => {
    const path = file();
    writeFileSync(path, content);
    return path;
  };

  it("is written as before, and read as what was meant", async () => {
    const path = file();
    expect(await writeManifest(path, each(entries), true)).toBe(3);
    expect(readFileSync(path, "utf8")).toBe(text);
    expect(await all(withText(text))).toEqual(entries);
  });

  it.each([
    ["cut short", text.slice(0, text.lastIndexOf('{"entries"'))],
    ["a line too few", text.replace(/^.*"path":"link".*\n/m, "")],
    ["a newer number", text.replace('"format":1', '"format":2')],
    ["something behind its end", `${text}{"entries":3}\n`],
    ["an unknown field", text.replace('"target"', '"goal"')],
    ["nothing", ""],
  ])("is none with %s", async (_, spoilt) => {
    await expect(all(withText(spoilt))).rejects.toThrow();
  });
});

describe("the difference between two trees", () => {
  const data = entries[1] as Entry;
  const fields = ["type", "mode", "uid", "size", "sha256", "attributes"] as const;
  const differs = (found: readonly Entry[]) => differenceOf(each(entries), each(found), fields);
  const changed = (more: Partial<Entry>) =>
    differs(entries.map((of) => (of === data ? { ...of, ...more } : of)));

  it("is none where they are equal, whatever the fields say that nobody asked for", async () => {
    expect(await differs(entries)).toBeUndefined();
    expect(await changed({ mtimeNs: "1" })).toBeUndefined();
  });

  it("names the file and what differs", async () => {
    expect(await changed({ uid: 0 })).toBe("data: uid 0, wanted 990");
    expect(await changed({ sha256: "0" })).toMatch(/^data: sha256 0, wanted 2cf2/);
    expect(await changed({ attributes: {} })).toBe('data: attributes {}, wanted {"user.note":"0x6869"}');
    expect(await differs(entries.slice(0, 1))).toMatch(/^data: it is not there/);
    expect(await differs(entries.filter((of) => of !== data))).toMatch(/^data: it is not there/);
    expect(await differs([...entries, { ...data, path: "z" }])).toBe("z: it is too many");
  });
});

it("attributes are read as getfattr tells them, without those that the system writes by itself", () => {
  const told = [
    "# file: .",
    "security.selinux=0x00",
    "",
    "# file: ./a\\012b",
    "user.two=0x02",
    "user.one",
    "system.posix_acl_access=0x02",
    "system.nfs4_acl=0x00",
    "",
  ];
  expect([...parseAttributes(told.join("\n"))]).toEqual([
    ["a\nb", { "system.posix_acl_access": "0x02", "user.one": "", "user.two": "0x02" }],
  ]);
});
