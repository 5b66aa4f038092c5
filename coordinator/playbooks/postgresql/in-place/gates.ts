/** Gates of an upgrade in place. */

import { failure } from "#proto/common/failure.ts";
import { known, whyUnknown } from "#proto/common/measured.ts";
import { type Gate, type Gates, pass, refuse, waitFor } from "../../../domain/gate.ts";
import { gateOf, majorOf } from "../facts.ts";

/** The new version serves, and it is not the old server that somebody has started again. */
const servesAs: Gate = ({ spec, now }) => {
  for (const [node, report] of Object.entries(now.nodes)) {
    if ("unknown" in report) return { verdict: "wait", why: report.unknown };
    const facts = gateOf(report);
    if (facts === undefined) return waitFor("postgresql.facts-unreadable", { node });
    const server = known(facts.server);
    if (server === undefined) {
      const why = whyUnknown(facts.server) ?? failure("measure.never-taken");
      return { verdict: "wait", why: { code: why.code, facts: { ...why.facts, node } } };
    }
    const told = { node, version: server.version, systemId: server.systemId };
    if (server.systemId === spec.args["not"])
      return refuse(failure("postgresql.old-server-serves", told), "hint.mend-and-resume");
    if (server.isStandby) return waitFor("postgresql.is-standby", told);
    const wanted = spec.args["version"] ?? "";
    if (String(majorOf(server.versionNum)) !== wanted)
      return waitFor("postgresql.version-differs", { ...told, wanted });
  }
  return pass;
};

export const inPlaceGates: Gates = { "postgresql.serves-as": servesAs };
