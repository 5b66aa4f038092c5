/** What an operator's build brings, and what the agent keeps of a start, are read by other versions than made them. */
import { type BuildManifest, parseBuildManifest } from "#agent/engines/kwdb/build.ts";
import { type BuildRecord, buildRecordText, parseBuildRecord } from "#agent/engines/kwdb/build-record.ts";
import { parseStartRecord, type StartRecord, startRecordText } from "#agent/engines/kwdb/start-record.ts";
import { FailureError, type Outcome } from "#proto/common/failure.ts";
import { holdsToGolden } from "#test/golden.ts";

const sha256 = "6a2da20943931e9834fc12cfe5bb47bbd9ae43489a30726962b576f4e3993e50";

function orThrow<T>(read: Outcome<T>): T {
  if (!read.ok) throw new FailureError(read.failure);
  return read.value;
}

const keptAt = "2026-01-31T22:15:00.000Z";
const starts: readonly Omit<StartRecord, "format">[] = [
  {
    unit: null,
    folder: "/opt/kwdb",
    keptAt,
    start: {
      argv: ["./kwbase", "start", "--insecure", "--store=/数据/kwdb"],
      cwd: "/opt/kwdb/bin",
      uid: 990,
      gid: 991,
      umask: "0027",
      environment: ["LD_LIBRARY_PATH=../lib", 'TOKEN=a b "$c"'],
      limits: { NOFILE: ["1024", "524288"], MEMLOCK: ["unlimited", "unlimited"] },
      output: "/var/log/kwdb.out",
      errors: "/var/log/kwdb.err",
    },
  },
  {
    unit: "my-kwdb",
    folder: "/opt/kwdb",
    keptAt,
    start: {
      argv: ["/opt/kwdb/bin/kwbase", "start-single-node"],
      cwd: "/",
      uid: 0,
      gid: 0,
      umask: "0022",
      environment: [],
      limits: {},
    },
  },
];

holdsToGolden<StartRecord>("a start that is kept", {
  file: "agent/engines/kwdb/start",
  format: 1,
  refusal: "kwdb.start-record-format",
  made: () => starts.map((start) => JSON.parse(startRecordText(start)) as StartRecord),
  read: (kept) => orThrow(parseStartRecord(kept)),
});

holdsToGolden<BuildRecord>("a build before a change", {
  file: "agent/engines/kwdb/build-record",
  format: 1,
  refusal: "kwdb.build-record-format",
  made: () =>
    starts.map((kept) => {
      const files = { "bin/kwbase": sha256, "lib/libcommon.so": sha256 };
      const record = { ...kept, rollout: "r1", version: "3.0.0", files };
      return JSON.parse(buildRecordText(record)) as BuildRecord;
    }),
  read: (kept) => orThrow(parseBuildRecord(kept)),
});

holdsToGolden<BuildManifest>("a build's manifest", {
  file: "agent/engines/kwdb/build-manifest",
  format: 1,
  refusal: "kwdb.build-manifest-format",
  // written by whoever builds: nothing of ours makes it
  made: () => [
    {
      format: 1,
      version: "V3.1.0",
      platform: "linux-x86_64",
      files: { "bin/kwbase": sha256, "lib/libcommon.so": sha256 },
    },
  ],
  read: (kept) => orThrow(parseBuildManifest(kept)),
});
