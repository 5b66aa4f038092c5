import type { Catalogue } from "../render.ts";

export const lock: Catalogue = {
  "claim.held": {
    says: "{cluster} is claimed by rollout {rollout}, begun by {by} at {since}; nothing was done",
    next: "lockkeeper status {rollout}",
  },
  "claim.binds": {
    says: "{cluster}: {what} cannot change while rollout {rollout} holds it (begun by {by} at {since}): its plan is bound to it; nothing was changed",
    next: "let it end, or lockkeeper abort {rollout}; windows and freeze may change at any time",
  },
  "claim.missing": { says: "{rollout} holds no claim on {cluster}, and nobody else does" },
  "lock.held": {
    says: "the lock of {cluster} is {state} by {nodes} (epoch {epoch}, rollout {rollout}, stage {stage}, since {since})",
    next: "lockkeeper lock show {cluster}",
  },
  "lock.free": {
    says: "the lock of {cluster} is free: there is nothing to break",
    next: "lockkeeper lock show {cluster}",
  },
  "lock.missing": { says: "there is no lock record of {cluster}: never granted, or forgotten by NATS" },
  "lock.broken": {
    says: "the lock of {cluster} was broken by {by} at {at} ({reason}); not proven since: {nodes}",
    next: 'look at {nodes}, then: lockkeeper resume ROLLOUT --ack lock.broken --reason "…"',
  },
  "lock.break-needs-word": {
    says: "{nodes} does not answer: whether it still works on the database is not known",
    next: "make sure that the host is off or cut from its peers, then add --host-is-off",
  },
  "lock.break-still-works": {
    says: "{nodes} answers and works on; it was asked to stop and has not come to a safe boundary yet",
    next: "lockkeeper lock break {cluster} once more in a while; lockkeeper logs shows its step",
  },
  "hint.lock.broken": {
    says: "look at every node that it names; nothing is granted before you answer for them",
  },
  "check.lock.broken": { says: "no lock of {cluster} was broken" },
  "check.lock.broken.unknown": {
    says: "by {by} at {at} ({reason}); not proven since: {nodes}",
    next: 'look at {nodes}, then add --ack lock.broken --reason "…"',
  },
  "lock.break-without-reason": { says: "breaking a lock needs a reason", next: 'add --reason "…"' },
  "lock.epoch-not-higher": { says: "epoch {epoch} of {cluster} was used before" },
  "lock.given-up": {
    says: "the lock of {stage} was given back {tries} times before any node had entered",
    next: "lockkeeper logs ROLLOUT shows why; lockkeeper resume ROLLOUT tries again",
  },
  "lock.holder-silent": {
    says: "{nodes} holds the lock of {cluster} (epoch {epoch}) and does not answer; nothing else is started",
    next: "start the agent on {nodes}; only if that host is gone for good: lockkeeper lock break {cluster} --reason …",
  },
  "lock.not-proven": { says: "the lock of {cluster} stays: {nodes} is not proven well" },
  "lock.not-yours": {
    says: "epoch {epoch} of {cluster} does not hold the lock (record: epoch {record}, {state})",
  },
  "lock.other-node": { says: "{node} was not granted {cluster}; granted are {nodes}" },
  "lock.taken-over": { says: "the coordinator changed before anything was touched" },
  "node.not-reported": {
    says: "no agent answers for {nodes} of {cluster}; while one is missing, nothing is begun on any node of the cluster",
    next: "systemctl status lockkeeper-agent   (on {nodes}); a host gone for good: lockkeeper cluster remove-node",
  },
  "node.unfinished": {
    says: "{node} has a program of rollout {rollout}, stage {stage} ({standing}, epoch {epoch}) that is not proven and freed",
    next: "lockkeeper status {rollout}",
  },
  "check.node.unfinished": {
    says: "nothing of a forgotten rollout is unfinished on {node} ({rollout}, stage {stage})",
  },
  "check.node.unfinished.unknown": {
    says: "its program of rollout {rollout}, stage {stage}, has ended, and was not proven; the store knows nothing of that rollout",
    next: 'look at {node}, then add --ack node.unfinished --reason "…"',
  },
  "check.node.unfinished.ko": {
    says: "its program of rollout {rollout}, stage {stage}, still runs; the store knows nothing of that rollout; no word stands in for it",
    next: "lockkeeper-agent why   (on {node}, as root); check again when it has ended",
  },
  "node.unproven": {
    says: "the agent of {node} has lost its memory (reinstalled, restored or cloned): it cannot say what ran on this host",
    next: 'look at {node}, then: lockkeeper resume ROLLOUT --ack node.unproven --reason "…"',
  },
  "node.unreachable": {
    says: "no agent is attached for {node}",
    next: "systemctl status lockkeeper-agent   (on {node})",
  },
  "node.no-report": {
    says: "{node} gave no report: its agent is not attached, or does not answer",
    next: "systemctl status lockkeeper-agent   (on {node}); lockkeeper doctor shows agents that call themselves otherwise",
  },
  "node.tells-nothing": {
    says: "the agent of {node} is here and cannot tell of its database; nothing is begun before it can",
  },
  "node.silent": {
    says: "{node} does not answer",
    next: "lockkeeper-agent status   (on {node}, as root); the program there runs to its end by itself",
  },
  "node.report-format-unknown": {
    says: "the agent of {node} writes its report in format {format}, and this coordinator reads up to {known}",
    next: "bring the coordinator up to the agent's version first",
  },
  "node.report-unreadable": {
    says: "the report of {node} cannot be read: {cause}; are agent and coordinator of one version?",
  },
  "node.still-attached": {
    says: "{node} is attached: a node that lives is not removed",
    next: "stop its agent first",
  },
  "agent.twice": {
    says: "two agents call themselves {node}: a cloned host? both are refused",
    next: "change `node:` in the agent's file of the wrong one, and remove its state folder",
  },
  "agent.contract": {
    says: "the agent of {node} ({agentVersion}) speaks contract {spoken}; this coordinator serves {oldest} to {newest}",
    next: "upgrade the older of the two",
  },
  "fence.epoch-too-low": { says: "{node} has seen epoch {seen} of {cluster}: epoch {epoch} is too late" },
  "fence.other-nonce": { says: "epoch {epoch} of {cluster} was announced to the node by somebody else" },
  "fence.program-not-freed": {
    says: "the node works for rollout {rollout}, stage {stage} ({standing}): it takes nothing else",
  },
  "fence.not-announced": { says: "epoch {epoch} of {cluster} was never announced to the node" },
  "fence.enter-not-asked": { says: "nobody on the node asked to enter epoch {epoch} of {cluster}" },
  "fence.enter-too-late": { says: "the answer to enter came after {waitedMs} ms; the node had given up" },
  "fence.refused": { says: "{node} refused the announcement" },
};
