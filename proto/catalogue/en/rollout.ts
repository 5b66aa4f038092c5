import type { Catalogue } from "../render.ts";

export const rollout: Catalogue = {
  "step.told": { says: "{what} (on {node}): {says}" },
  "step.not-seen": { says: "{what} (asked on {node}): {says}" },
  "rollout.node-left-behind": {
    says: "{node} at {to}: it was skipped and is left at {from} (not run there: {steps})",
    next: "lockkeeper plan CLUSTER --to {to}, for the nodes that are left",
  },
  "rollout.past-return": {
    says: "{stage} is past its point of no return and half done: it can neither be undone nor left",
    next: "go on with it: lockkeeper retry {rollout}",
  },
  "hint.past-return": { says: "the plan says which ways follow; the lock stays" },
  "rollout.paused-unsaid": { says: "paused by {by}, who gave no reason" },
  "rollout.paused": { says: "paused by {by}: {reason}" },
  "rollout.measures": {
    says: "{stage} is measured: it goes on when its gates were green for as long as they must be",
  },
  "rollout.mending": { says: "{stage} runs again for {wait}, which goes on after it: {cause}" },
  "rollout.down": { says: "not serving: {nodes}, taken away by {rollout}" },
  "rollout.aborted": { says: "rollout {rollout} is being aborted" },
  "rollout.left-standing": {
    says: "aborted at {stage}; what rollout {rollout} has made in earlier stages still stands on its hosts",
    next: "lockkeeper plan --back {rollout} -o back.json, read it, then lockkeeper apply back.json",
  },
  "hint.left-standing": {
    says: "the clusters are held and watched until the way back is done. Or: resume goes on with the rollout; abort once more gives it up as it stands, and nobody watches then",
  },
  "rollout.given-up": {
    says: "rollout {rollout} was given up; what it has made still stands on its hosts, and nobody watches it",
    next: "lockkeeper plan --back {rollout} -o back.json, read it, then lockkeeper apply back.json",
  },
  "rollout.past-abort": {
    says: "rollout {rollout} takes away what a way back needs, and has begun with it: it is not aborted any more",
    next: "let it go on; where it has stopped: lockkeeper retry {rollout}",
  },
  "rollout.stopped": {
    says: "rollout {rollout} has stopped: no node is begun before a person says so",
    next: "lockkeeper why {rollout}",
  },
  "rollout.waits-for-approval": { says: "{stage} waits for a person to approve it" },
  "rollout.others-end-first": {
    says: "{node} has failed; before the rollout stops, these end the step they are in: {others}",
  },
  "rollout.not-open": { says: "rollout {rollout} is not open", next: "lockkeeper history" },
  "rollout.approved-too-early": {
    says: "rollout {rollout} takes no answer before {until}: so it stands in its plan",
    next: "lockkeeper why {rollout}",
  },
  "rollout.wrong-phase": {
    says: "rollout {rollout} is {phase}: {order} means nothing now",
    next: "lockkeeper status {rollout}",
  },
  "rollout.other-node": {
    says: "rollout {rollout} stopped on {stopped}, not on {node}",
    next: "lockkeeper retry {rollout} -n {stopped}",
  },
  "rollout.node-done": { says: "{node} has been upgraded by {rollout}: it cannot be skipped" },
  "rollout.node-holds-lock": {
    says: "{node} holds the lock: it is in work or half-way, and cannot be left so",
    next: "lockkeeper retry {rollout} -n {node}, or lockkeeper abort {rollout}",
  },
  "rollout.no-mixed-versions": {
    says: "this cluster may not serve with mixed versions: {node} cannot be skipped",
  },
  "check.refused": {
    says: "checks refuse, nothing was touched: {checks} (your word for {idle} answers none of them)",
    next: "{command} shows each with its hint",
  },
  "check.lapsed": {
    says: "no person's word stands any more for: {checks}",
    next: 'lockkeeper resume ROLLOUT --override CHECK --reason "…" --until TIME',
  },
  "word.override-without-until": {
    says: "an override of {check} needs an end",
    next: "add --until TIME",
  },
  "word.not-asked-for": {
    says: "the plan does not ask for your word on {check}: it answers for nothing (asked for: {asked})",
  },
  "word.answers-nothing": {
    says: "nothing in {rollout} asks for your word on {checks} (asked for: {asked}); nothing was done",
    next: "lockkeeper why {rollout} shows what it waits for; give the order without that word, or with the right one",
  },
  "word.not-with-order": {
    says: "{order} takes no word for a check ({check}); nothing was done",
    next: 'lockkeeper pause {rollout}, then lockkeeper resume {rollout} --ack {check} --reason "…"',
  },
  "hold.refused": { says: "{node} would not keep the hold {step}" },
  "hold.lapsed": {
    says: "the hold {hold} on {node} came down by itself, since its limit had passed, before {step} on {behind} was done: what that has found says nothing ({cause})",
    next: "lockkeeper retry ROLLOUT, by which the stage begins anew, with a hold of its own. Where its time never suffices: lockkeeper plan --back ROLLOUT, set a longer limit, and plan anew",
  },
  "watch.reacted": { says: "watch {watch} on {node} measured {measured} and has reacted" },
  "wait.limit-passed": { says: "{stage} has waited as long as it may; nobody answered" },
  "hint.watch-reacted": {
    says: "its prepared reaction is done: {reaction}; look at {node}. Where that gave something up for good, lockkeeper plan --back ROLLOUT; else resume goes on",
  },
  "hint.watch-failed": { says: "nobody watches now: mend it, then resume arms the watch anew" },
  "hint.wait-limit": { says: "resume begins the wait anew" },
  "hint.hold-refused": { says: "what was built on the hold is not safe: nothing further was begun" },
  "hint.undo-failed": { says: "what it has done could not be undone; the lock stays with the node" },
  "plan.drift": { says: "the fleet is not as planned: {fields}", next: "make the plan anew and read it" },
  "plan.unmeasured": {
    says: "what the plan is bound to cannot be measured now: {fields}",
    next: "lockkeeper node list; see that its server runs and its agent gets into it",
  },
  "plan.edited": {
    says: "the plan {digest} is not as it was made: it was edited; nothing was done",
    next: "make the plan anew",
  },
  "plan.without-unknown": {
    says: "{cluster} is not one of the two clusters of rollout {rollout} ({clusters})",
    next: "name the cluster whose servers are gone for good",
  },
  "plan.strategy-unknown": { says: "there is no strategy {strategy}", next: "rolling or offline" },
  "way-back.not-needed": {
    says: "{rollout} has begun nothing that cannot be undone: there is nothing to go back from, no version was changed on {left}",
    next: "lockkeeper abort {rollout}, if it is still open, undoes the rest",
  },
  "way-back.of-way-back": {
    says: "{rollout} is itself a way back, from {first}: there is no way back from a way back",
    next: "lockkeeper retry {rollout}; or lockkeeper plan --back {first}, which takes over from it",
  },
  "way-back.still-running": {
    says: "{rollout} is {phase}: one goes back only from a rollout that has stopped or ended",
    next: "lockkeeper pause {rollout}; or wait for its end",
  },
  "way-back.not-let-go": {
    says: "{rollout} has not let go of {cluster} in time: nothing was begun",
    next: "lockkeeper why {rollout}; then apply the same plan again",
  },
  "way-back.half-way": {
    says: "there is no way back in place from {rollout}: {changed} changed to {to}, {left} are still at {from}",
    next: "go on (lockkeeper retry {rollout}), or put the kept old package back on {changed} by hand: docs/{engine}.md, The way back",
  },
  "way-back.whole-cluster": {
    says: "there is no way back in place from {rollout}: {changed} run {to}, and it has no downgrade. What is possible: a new cluster at {from} from a backup or an export; what was written since is lost",
    next: "docs/{engine}.md, The way back",
  },
  "engine.unknown": { says: "there is no playbook for {engine}" },
  "gate.unknown": { says: "the playbook has no gate {gate}" },
  "freeze.set": {
    says: "{cluster} is frozen: {why}",
    next: "take `freeze:` out of the inventory and apply it",
  },
  "window.closed": { says: "no maintenance window of {cluster} is open now: {windows}" },
  "artefact.unknown": {
    says: "nobody has pushed a package with digest {digest}",
    next: "lockkeeper artefact push FILE",
  },
  "artefact.digest-malformed": { says: '"{digest}" is no sha256: 64 hex digits, lower case' },
  "artefact.digest-wrong": { says: "{name} has digest {got}, not {wanted}; nothing of it was kept" },
  "artefact.truncated": {
    says: "{name} came with {got} of {wanted} bytes; nothing of it was kept",
    next: "push it again",
  },
  "artefact.without-header": { says: "a package without a header was refused" },
  "discover.no-agents": {
    says: "no agent is attached: there is nothing to discover",
    next: "start the agents on the database hosts",
  },
  "config.unreadable": { says: "the configuration was not used:\n{complaints}" },
  "coordinator.folder-in-use": {
    says: "another coordinator runs with the state folder {folder}",
    next: "stop it, or give this one a stateDir of its own",
  },
  "coordinator.cannot-listen": {
    says: "cannot listen on {address}: {cause}",
    next: "is another coordinator running? see `listen` in its file",
  },
  "store.swap-lost": { says: "another coordinator changed {key} at the same moment" },
  "program.ended": { says: "the program on {node} ended: {outcome}" },
  "program.lost": {
    says: "{node} was let in for stage {stage}, and its agent knows nothing of that program any more",
    next: "lockkeeper retry ROLLOUT -n {node}",
  },
  "program.refused": { says: "{node} refused its program" },
  "hint.gate-limit": { says: "the gate did not become green in time" },
  "hint.lock-stays": { says: "the lock stays with its node until that is proven well" },
  "hint.program-lost": {
    says: "the lock stays; look at the node, then try it again: each step is probed before it starts",
  },
  "hint.node-silent": { says: "the node works on by itself; its agent tells the rest when it is back" },
  "hint.mend-and-resume": { says: "mend what it says; the stage then begins anew from what is true by then" },
  "hint.mended-in-vain": {
    says: "it was mended as often as the plan allows, and was said again each time: mend it by hand; after a resume it is mended by itself again",
  },
  "hint.plan-anew": { says: "what is there is not what the plan was made for: put it back, or plan anew" },
  "hint.program-failed": {
    says: "the program ended there; the lock stays with its nodes, and no other is begun before they are proven",
  },
  "hint.program-unknown": {
    says: "whether that step has done its work nobody knows: look at the node; tried again, the step is probed first",
  },
  "hint.program-stopped": {
    says: "the program stopped at a safe boundary, half-way; the lock stays with its nodes",
  },
  "hint.program-never-begun": {
    says: "the node was not let in, and others have the lock already: it stays with them until all is proven",
  },
  "touched.nothing": { says: "nothing on any node" },
  "touched.done": { says: "{nodes}: done and proven" },
  "touched.begun": { says: "{node}: {left}" },
  "touched.undone": { says: "{node}: {undone}, all of it undone" },
  "touched.part-undone": { says: "{node}: {left}; undone: {undone}" },
  "touched.more": { says: "{node}: maybe more, its program has not told its end" },
  "touched.unknown": { says: "{nodes}: let in or within reach, and what was done there is not told yet" },
  "touched.reacted": { says: "{node}: watch {watch} has done its prepared reaction" },
  "hint.report-defect": { says: "this is a defect of lockkeeper" },
  "check.nats.version": { says: "NATS is {floor} or newer (it is {version})" },
  "check.nats.version.ko": {
    says: "{version} cannot sync every write and knows no per-key expiry",
    next: "run three servers of 2.11 or newer",
  },
  "check.nats.replicas": { says: "NATS keeps {replicas} copies" },
  "check.nats.replicas.warn": {
    says: "one copy: fine for a trial; in production a lost disk loses the lock's history (the agents still refuse old epochs)",
    next: "name three servers under nats.servers in the coordinator's file",
  },
  "check.nats.jetstream": { says: "JetStream answers" },
  "check.nats.jetstream.unknown": { says: "it does not" },
  "check.audit.chain": { says: "no entry of the audit log was changed or lost" },
  "check.audit.chain.ko": { says: "its hashes do not follow from each other", next: "lockkeeper audit" },
  "check.audit.end": { says: "the audit log ends no earlier than its agents know (kept by {keepers})" },
  "check.audit.end.ko": {
    says: "entries at its end were lost: {nodes} kept the hash of one that the log did not have",
    next: "lockkeeper audit",
  },
  "coordinator.follows": {
    says: "this coordinator does not lead: the agents are with the leader ({leader})",
  },
  "check.agents.all-here": { says: "every node of the inventory has its agent here ({here} of {all})" },
  "check.agents.all-here.ko": {
    says: "no agent is here, and no node is begun without its agent: {nodes}",
    next: "on each of these hosts: systemctl enable --now lockkeeper-agent; it runs there? journalctl -u lockkeeper-agent",
  },
  "check.agents.all-here.warn": {
    says: "no agent is here for {nodes}; nothing is begun in a cluster of which one agent is away",
    next: "on each of these hosts: systemctl enable --now lockkeeper-agent; it runs there? journalctl -u lockkeeper-agent",
  },
  "check.agents.all-here.not-applicable": {
    says: "the inventory names no node yet",
    next: "lockkeeper cluster discover shows a draft; then lockkeeper cluster apply FILE",
  },
  "check.agents.all-known": { says: "every agent that dials in is in the inventory" },
  "check.agents.all-known.warn": {
    says: "not in the inventory: {agents}; they are given nothing to do",
    next: "put {first} into the inventory file and apply it (lockkeeper cluster discover shows the entry), or set `node:` in /etc/lockkeeper/agent.yaml on its host to its name in the inventory, then there: systemctl restart lockkeeper-agent",
  },
  "check.agents.all-known.not-applicable": { says: "who dials in is not known here" },
  "check.agents.one-name-once": { says: "each node name has one agent" },
  "check.agents.one-name-once.ko": {
    says: "two agents call themselves {nodes}",
    next: "change `node:` in one agent's file",
  },
};
