/** A cluster in containers as its agents describe it when all is well. */
import type { Container, DockerEngine, Form, Mode } from "#proto/engines/kwdb.ts";
import { type Changed, inputOf, is, mode, type NodeName, names, notApplicable } from "./cluster.ts";

export const engine: DockerEngine = {
  version: "26.1.5",
  compose: "2.26.1",
  root: "/var/lib/docker",
  availableBytes: 50 * 1024 ** 3,
  alike: [],
};

const file = "/etc/kaiwudb/script/docker-compose.yml";
export const composed: NonNullable<Container["compose"]> = {
  file,
  services: ["kaiwudb-container"],
  images: ["kwdb/kwdb:3.0.0"],
};
export const repeats: NonNullable<Container["repeats"]> = {
  options: ["--privileged", "--publish", "26257:26257/tcp", "--env", "SITE=north east"],
  command: ["./kwbase", "start-single-node", "--insecure"],
  refused: [],
  sha256: "7".repeat(64),
};

export function containerOf(form: Form): Container {
  const about = {
    id: "c".repeat(64),
    image: "kwdb/kwdb:3.0.0",
    imageId: `sha256:${"9".repeat(64)}`,
    digests: [],
  };
  if (form === "docker-run") return { ...about, name: "kwdb", repeats };
  return form === "compose"
    ? { ...about, name: "kwdb", compose: { ...composed, file: "/srv/kwdb/docker-compose.yml" } }
    : { ...about, name: "kaiwudb-container", compose: composed };
}

type Topology = NonNullable<Changed["topology"]>;
const inMode: Readonly<Record<Topology, Mode["topology"]>> = {
  "multi-replica": "multi-replication",
  "single-replica": "single-replication",
  standalone: "single",
};

export interface Contained extends Changed {
  readonly form: Form;
  readonly container?: Partial<Container>;
  readonly engine?: Partial<DockerEngine>;
}

export function inputIn({ form, topology = "standalone", container, engine: other, ...changed }: Contained) {
  const ofNode = (name: NodeName, at: number) => [
    name,
    {
      form: is(form),
      container: is({ ...containerOf(form), ...container }),
      docker: is({ ...engine, ...other }),
      mode: is({ ...mode, kind: "container", topology: inMode[topology], address: `10.0.0.${at + 1}` }),
      ...(form === "compose-service" ? {} : { unitSha256: notApplicable }),
      ...changed.facts?.[name],
    },
  ];
  const { cluster, ...rest } = changed;
  const facts = Object.fromEntries(names.map(ofNode)) as NonNullable<Changed["facts"]>;
  return inputOf({ ...rest, topology, facts, cluster: { deployment: "container", ...cluster } });
}
