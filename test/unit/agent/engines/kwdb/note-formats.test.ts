/** Notes of the agent's own deeds outlive it: the next agent on the host may be a newer or an older one. */
import { asideNote } from "#agent/engines/kwdb/build-aside.ts";
import { loadedNote } from "#agent/engines/kwdb/images.ts";
import { type NoteKind, noteText, parseNote } from "#agent/engines/kwdb/note.ts";
import { replacedNote } from "#agent/engines/kwdb/replaced.ts";
import { restoredNote } from "#agent/engines/kwdb/restoring-data.ts";
import { setAsideNote } from "#agent/engines/kwdb/set-aside.ts";
import { holdsToGolden } from "#test/golden.ts";

const id = "sha256:6a2da20943931e9834fc12cfe5bb47bbd9ae43489a30726962b576f4e3993e50";

interface Sampled<T> {
  readonly file: string;
  readonly kind: NoteKind<T>;
  readonly notes: readonly T[];
}

function holds<T extends object>(name: string, { file, kind, notes }: Sampled<T>): void {
  holdsToGolden<object>(name, {
    file: `agent/engines/kwdb/${file}`,
    format: kind.format,
    refusal: "nobody's",
    made: () => notes.map((note) => JSON.parse(noteText(kind, note)) as object),
    read: (kept) => {
      const note = parseNote(kind, kept);
      return note === undefined ? undefined : (JSON.parse(noteText(kind, note)) as object);
    },
  });
}

holds("a note of a build that is put aside", {
  file: "build-aside",
  kind: asideNote,
  notes: [{ kept: "/opt/kwdb-before-r1" }],
});

holds("a note of a container that is set aside", {
  file: "set-aside",
  kind: setAsideNote,
  notes: [
    {
      name: "kwdb",
      aside: "kwdb-before-r1",
      id: "3f9f0d6b1c2e",
      rollout: "r1",
      restartPolicy: { Name: "on-failure", MaximumRetryCount: 3 },
    },
    { name: "kwdb", aside: "kwdb-before-r2", id: "77aa", rollout: "r2", restartPolicy: {} },
  ],
});

holds("a note of the container that compose replaces", {
  file: "replaced",
  kind: replacedNote,
  notes: [
    {
      Id: "3f9f0d6b1c2e",
      Name: "/kwdb",
      Image: id,
      State: {
        Status: "running",
        Running: true,
        Pid: 4711,
        StartedAt: "2026-01-31T22:15:00Z",
      },
      Config: {
        Image: "kwdb/kwdb:3.0.0",
        Cmd: ["/bin/bash", "-c", "./kwbase start --store=/数据"],
        Entrypoint: null,
        Env: ["PATH=/usr/bin"],
      },
      HostConfig: { RestartPolicy: { Name: "always", MaximumRetryCount: 0 } },
      Mounts: [],
    },
  ],
});

holds("a note of data that was put back", {
  file: "restored",
  kind: restoredNote,
  notes: [
    {
      dataRoot: "/var/lib/kaiwudb",
      aside: "/var/lib/kaiwudb.before-r2",
      file: "/backup/db1-3.0.0-to-3.0.1-r1.tar",
    },
  ],
});

holds("a note of an image that was loaded", {
  file: "loaded-image",
  kind: loadedNote,
  notes: [{ reference: "kwdb/kwdb:3.0.1", id }],
});
