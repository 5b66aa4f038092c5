import { describe, expect, it } from "vitest";
import { asPrlimit, asProperties, readLimits } from "#agent/engines/kwdb/limits.ts";
import { readWords } from "#agent/engines/kwdb/start-words.ts";

const read = (...argv: readonly string[]) =>
  readWords({ argv: ["./kwbase", ...argv], cwd: "/opt/kwdb/bin" }, "/opt/kwdb");

describe("the words of a start", () => {
  it("say topology, store, ports, security and address", () => {
    const words = ["--certs-dir=../certs", "--store=/data/kwdb", "--listen-addr=0.0.0.0:26300"];
    expect(read("start", ...words, "--advertise-addr=10.0.0.11:26300", "--http-addr=0.0.0.0:8081")).toEqual({
      ok: true,
      value: {
        kind: "bare",
        topology: "multi-replication",
        place: "/opt/kwdb",
        dataRoot: "/data/kwdb",
        sqlPort: 26300,
        httpPort: 8081,
        security: "tls",
        encrypted: false,
        address: "10.0.0.11",
        certs: "/opt/kwdb/certs",
      },
    });
  });

  it("are read apart from their values, with the last of several, and with the vendor's defaults", () => {
    expect(read("start-single-node", "--insecure", "-s", "path=d,size=1GB", "--store", "e")).toMatchObject({
      value: {
        topology: "single",
        dataRoot: "/opt/kwdb/bin/e",
        sqlPort: 26257,
        httpPort: 8080,
        security: "insecure",
      },
    });
    expect(read("start-single-replica", "--insecure=false", "--tlcp", "--certs-dir", "c")).toMatchObject({
      value: {
        topology: "single-replication",
        security: "tlcp",
        certs: "/opt/kwdb/bin/c",
        dataRoot: "/opt/kwdb/bin/kwbase-data",
      },
    });
    expect(read("start", "--store=path=/d,attrs=ssd")).toMatchObject({ value: { dataRoot: "/d" } });
  });

  it("name the one address where it listens, since the loopback does not answer then", () => {
    expect(read("start", "--listen-addr=10.0.0.11:26257", "--http-addr=:8080")).toMatchObject({
      value: { sqlHost: "10.0.0.11", address: "10.0.0.11", httpPort: 8080 },
    });
    expect(read("start", "--listen-addr=[fd00::1]:26257")).toMatchObject({ value: { sqlHost: "fd00::1" } });
    expect("sqlHost" in (read("start", "--listen-addr=:26257") as { value: object }).value).toBe(false);
  });

  it("of something else than a node are refused", () => {
    expect(read("demo")).toMatchObject({
      failure: { code: "kwdb.start-strange", facts: { command: "demo" } },
    });
  });
});

describe("limits", () => {
  const text = `Limit                     Soft Limit           Hard Limit           Units     
Max cpu time              unlimited            unlimited            seconds   
Max open files            1024                 524288               files     
Max locked memory         8388608              unlimited            bytes     
`;

  it("go from /proc to systemd and to prlimit without a change", () => {
    const limits = readLimits(text);
    expect(asProperties(limits)).toEqual([
      "--property=LimitCPU=infinity:infinity",
      "--property=LimitNOFILE=1024:524288",
      "--property=LimitMEMLOCK=8388608:infinity",
    ]);
    expect(asPrlimit(limits)).toEqual([
      "--cpu=unlimited:unlimited",
      "--nofile=1024:524288",
      "--memlock=8388608:unlimited",
    ]);
  });
});
