import { describe, expect, it } from "vitest";
import { readCompose, withImage } from "#agent/engines/kwdb/compose-file.ts";
import { onHostPath, onHostPort, serverWords } from "#agent/engines/kwdb/container-words.ts";

const server = (...Cmd: string[]) => serverWords({ Config: { Image: "x", Cmd } });

describe("a container's own command", () => {
  it.each<[string, string[], object]>([
    [
      "of the vendor's page",
      ["./kwbase", "start-single-node", "--insecure", "--listen-addr=0.0.0.0:26258", "--store=/d"],
      { topology: "single", security: "insecure", sqlPort: 26_258, httpPort: 8_080, store: "/d" },
    ],
    [
      "in a shell, with certificates",
      [
        "/bin/bash",
        "-c",
        "/kaiwudb/bin/kwbase start --certs-dir=/c --tlcp --store path=/d,attrs=ssd --http-addr :9090\n",
      ],
      { topology: "multi-replication", security: "tlcp", certs: "/c", store: "/d", httpPort: 9_090 },
    ],
  ])("%s is read", (_, words, found) => {
    expect(server(...words)).toMatchObject({ ok: true, value: found });
  });

  it.each([
    ["that is another program's", ["sleep", "60"]],
    ["that starts nothing", ["./kwbase", "version"]],
    ["without a word for its security", ["./kwbase", "start-single-node", "--store=/d"]],
  ])("%s is no server", (_, words) => {
    expect(server(...words)).toMatchObject({ ok: false, failure: { code: "kwdb.container-command" } });
  });
});

describe("what of a container lies on the host", () => {
  const Mounts = [
    { Type: "bind", Source: "/srv/a", Destination: "/kaiwudb" },
    { Type: "volume", Source: "/v/_data", Destination: "/kaiwudb/deploy" },
    { Type: "tmpfs", Source: "", Destination: "/tmp" },
  ];

  it.each([
    ["/kaiwudb/deploy/kwdb", "/v/_data/kwdb"],
    ["/kaiwudb/certs", "/srv/a/certs"],
  ])("%s is %s, by the nearest mount", (path, found) => {
    expect(onHostPath({ Mounts }, path)).toEqual({ ok: true, value: found });
  });

  it.each(["/kaiwudb-else", "/tmp/x", "/"])("%s is not: it goes with the container", (path) => {
    expect(onHostPath({ Mounts }, path)).toMatchObject({ failure: { code: "kwdb.container-data-inside" } });
  });

  const ports = (of: object) => onHostPort({ HostConfig: of as Record<string, unknown> }, 26_257);
  it.each<[string, object, number]>([
    ["as it is on the host's network", { NetworkMode: "host" }, 26_257],
    [
      "as it is published",
      { PortBindings: { "26257/tcp": [{ HostIp: "127.0.0.1", HostPort: "5000" }] } },
      5_000,
    ],
  ])("a port is %s", (_, of, port) => {
    expect(ports(of)).toEqual({ ok: true, value: port });
  });

  it.each<[string, object]>([
    ["is not published", { PortBindings: {} }],
    [
      "is published elsewhere only",
      { PortBindings: { "26257/tcp": [{ HostIp: "10.0.0.1", HostPort: "1" }] } },
    ],
  ])("a port that %s is refused", (_, of) => {
    expect(ports(of)).toMatchObject({ failure: { code: "kwdb.container-port" } });
  });
});

describe("a compose file", () => {
  const text = 'services:\n  db:\n    # image: old\n    image: "kwdb/kwdb:3.0.0" # ours\n    ports: []\n';

  it("changes in its one image line, and nowhere else", () => {
    expect(withImage(text, "kwdb/kwdb:3.1.0")).toEqual({
      ok: true,
      value: text.replace("kwdb/kwdb:3.0.0", "kwdb/kwdb:3.1.0"),
    });
  });

  it("with two image lines is refused: the vendor's script would rewrite both", () => {
    const two = `${text}  meter:\n    image: grafana\n`;
    expect(withImage(two, "x")).toMatchObject({ failure: { code: "kwdb.compose-images" } });
    expect(readCompose(two)).toEqual({
      ok: true,
      value: { services: ["db", "meter"], images: ["kwdb/kwdb:3.0.0", "grafana"] },
    });
  });

  it("that is none is refused", () => {
    expect(readCompose("a: [")).toMatchObject({ failure: { code: "kwdb.compose-unreadable" } });
    expect(readCompose("a: 1")).toMatchObject({ failure: { code: "kwdb.compose-unreadable" } });
  });
});
