/** What apt and dpkg have printed on real hosts, as it is read. */
import { describe, expect, it } from "vitest";
import { installedIn } from "#agent/host/packages/installed.ts";
import { offersIn } from "#agent/host/packages/offers.ts";
import { simulationIn } from "#agent/host/packages/simulation.ts";
import { causeIn } from "#agent/host/packages/words.ts";

describe("apt-cache policy", () => {
  const text = `postgresql-15:
  Installed: 15.18-0+deb12u1
  Candidate: 15.20-0+deb12u1
  Version table:
     15.20-0+deb12u1 500 (phased 20%)
        500 http://security.debian.org/debian-security bookworm-security/main amd64 Packages
        400 http://deb.debian.org/debian bookworm-updates/main amd64 Packages
 *** 15.18-0+deb12u1 500
        500 http://deb.debian.org/debian bookworm/main amd64 Packages
        100 /var/lib/dpkg/status
pinned:
  Installed: (none)
  Candidate: (none)
  Package pin: 2.0
  Version table:
     1:2.0~rc1 -1
        500 file:/srv/archive ./ Packages
`;

  it("tells the candidate, and where each version comes from", () => {
    expect(Object.fromEntries(offersIn(text))).toEqual({
      "postgresql-15": {
        candidate: "15.20-0+deb12u1",
        origins: {
          "15.20-0+deb12u1": [
            "http://security.debian.org/debian-security bookworm-security/main",
            "http://deb.debian.org/debian bookworm-updates/main",
          ],
          "15.18-0+deb12u1": ["http://deb.debian.org/debian bookworm/main"],
        },
      },
      pinned: { candidate: undefined, origins: { "1:2.0~rc1": ["file:/srv/archive ./"] } },
    });
  });

  it("tells nothing of a name that the lists do not know", () => {
    expect(offersIn("").size).toBe(0);
  });
});

it("apt-get --simulate tells what is new, what becomes of another version, and what goes", () => {
  const text = `The following NEW packages will be installed:
  tree
Remv rival:i386 [1.0] [needy ]
Purg gone [2.0]
Inst libpq5 [15.18-0+deb12u1] (15.20-0+deb12u1 Debian-Security:12/stable-security [amd64]) [postgresql-15:amd64 ]
Inst tree (2.1.0-1 Debian:12.15/oldstable, Debian:12/oldstable-updates [amd64])
Inst lib:i386 (1:1.0 localhost [i386])
Inst bare (1.0 [all])
Conf tree (2.1.0-1 Debian:12.15/oldstable [amd64])
`;
  expect(simulationIn(text)).toEqual({
    adds: [
      {
        name: "tree",
        version: "2.1.0-1",
        architecture: "amd64",
        origin: "Debian:12.15/oldstable, Debian:12/oldstable-updates",
      },
      { name: "lib:i386", version: "1:1.0", architecture: "i386", origin: "localhost" },
      { name: "bare", version: "1.0", architecture: "all", origin: "" },
    ],
    changes: ["libpq5 15.18-0+deb12u1 to 15.20-0+deb12u1"],
    removes: ["rival:i386", "gone"],
  });
});

it("dpkg's own file tells what is whole, what has left its configuration, and what is half done", () => {
  const stanza = (name: string, status: string, more = "") =>
    `Package: ${name}\nStatus: ${status}\nArchitecture: amd64\nVersion: 1.0\n${more}Description: of it\n Status: install ok installed\n`;
  const text = [
    stanza("whole", "install ok installed"),
    stanza("held", "hold ok installed"),
    stanza("left", "deinstall ok config-files", "Conffiles:\n /etc/left 1234\n"),
    stanza("half", "install reinstreq half-installed"),
    stanza("never", "purge ok not-installed"),
  ].join("\n");
  expect([...installedIn(text)].map(([key, { state }]) => [key, state])).toEqual([
    ["whole:amd64", "installed"],
    ["held:amd64", "installed"],
    ["left:amd64", "config-files"],
    ["half:amd64", "half-installed, reinstreq"],
  ]);
});

it("of what a tool has said, errors are told, else the last lines", () => {
  expect(causeIn("Reading package lists...\nE: Unable to locate package x\nmore\n")).toBe(
    "E: Unable to locate package x",
  );
  expect(causeIn("one\ntwo\n\n")).toBe("one; two");
  expect(causeIn("")).toBe("it said nothing");
});
