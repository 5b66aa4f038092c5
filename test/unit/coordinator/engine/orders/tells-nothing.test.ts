/** `why` where nothing can go on because a host says nothing: one answer, to whom it falls, with what to do. */
import { describe, expect, it } from "vitest";
import { renderWhy } from "#coordinator/cli/render/why.ts";
import type { WhyView } from "#coordinator/domain/views.ts";
import { whoTellsNothing } from "#coordinator/engine/orders/tells-nothing.ts";
import { failure } from "#proto/common/failure.ts";

type Fleet = Parameters<typeof whoTellsNothing>[1];

const nodes = [{ name: "o1", address: "10.0.0.11:5432" }];

function asked(isHere: boolean, state: string, told: WhyView["answers"] = []): string {
  const fleet = {
    presence: () => (isHere ? {} : undefined),
    lastReport: () => ({ report: { node: "o1" } }),
  } as unknown as Fleet;
  const cause = failure("postgresql.not-reached", { at: "/run/postgresql:5432", cause: "no such role" });
  const playbook = { summarise: () => ({ version: "?", state, findings: [cause] }) };
  const answers = [...told, ...whoTellsNothing(nodes, fleet, playbook, told)];
  return renderWhy({ subject: "shop", answers }, (_, text) => text);
}

describe("a host that says nothing", () => {
  it("is told once where a rollout waits for it already, and to whoever runs the host", () => {
    const waitingFor = failure("node.not-reported", { cluster: "shop", nodes: "o1" });
    expect(asked(false, "", [{ waitingFor, who: "who.host-owner" }]).match(/shop: /g)).toHaveLength(1);
    expect(asked(false, "")).toBe(
      "shop: no agent is attached for o1\n  who:     whoever runs the host\n  command: systemctl status lockkeeper-agent   (on o1)",
    );
  });

  it("whose agent does not get into its server has its cause told, also where no rollout is open", () => {
    const text = asked(true, "unknown");
    expect(text).toContain("the agent of o1 is here and cannot tell of its database");
    expect(text).toMatch(/because: .*no such role/);
    expect(text).toMatch(/command: look at host, port, user/);
    expect(asked(true, "primary")).toBe("shop: nothing waits and nothing has stopped.");
  });
});
