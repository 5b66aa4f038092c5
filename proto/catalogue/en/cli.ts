import type { Catalogue } from "../render.ts";

export const cli: Catalogue = {
  "cli.target-missing": { says: "{cluster}: to which version?", next: "add --to VERSION" },
  "cli.into-itself": {
    says: "--into {cluster} is the cluster itself; the data goes into another one",
    next: "lockkeeper cluster list shows all, then --into the new one",
  },
  "cli.word-unknown": {
    says: "no check is called {check}; nothing was done",
    next: "lockkeeper plan shows which checks want a word",
  },
  "cli.word-without-reason": {
    says: "a word for {check} needs a reason; nothing was done",
    next: 'add --reason "…"',
  },
  "cli.reasons-do-not-match": {
    says: "{words} words but {reasons} reasons; give one reason for all, or one for each",
  },
  "cli.override-without-end": {
    says: "an override of {check} needs an end; nothing was done",
    next: "add --until 2h, or an instant such as 2026-01-31T06:00:00+08:00",
  },
  "cli.until-unreadable": {
    says: '--until "{text}" is neither a duration nor an instant',
    next: "write 2h, or 2026-01-31T06:00:00+08:00",
  },
  "cli.until-past": { says: "--until {text} is in the past" },
  "cli.cluster-missing": {
    says: "which cluster?",
    next: "lockkeeper plan CLUSTER --to VERSION, or plan --back ROLLOUT",
  },
  "cli.without-alone": {
    says: "--without tells of a way back which cluster's servers are gone",
    next: "lockkeeper plan --back ROLLOUT --without CLUSTER",
  },
  "cli.no-open-rollout": { says: "no rollout is open", next: "lockkeeper history" },
  "cli.which-rollout": { says: "several rollouts are open: {open}", next: "lockkeeper watch ROLLOUT" },
  "cli.no-artefact": {
    says: "{name} is neither a file here nor the name of a package that the coordinator has",
    next: "lockkeeper artefact list, or give a path that exists",
  },
  "cli.which-artefact": {
    says: "the coordinator has several packages named {name}: {digests}",
    next: "say which with --sha256",
  },
  "cli.plan-unreadable": {
    says: "{file} is no plan: {cause}; nothing was done",
    next: "lockkeeper plan CLUSTER --to VERSION -o plan.json",
  },
  "cli.plan-format": {
    says: "{file} has plan format {format}, this lockkeeper writes and applies format {known}",
    next: "make the plan anew: lockkeeper plan CLUSTER --to VERSION -o plan.json",
  },
  "cli.type-cluster": { says: "Type the name of the cluster, {cluster}, to begin ({all} does as well)" },
  "cli.no-command": { says: "there is no command {word}", next: "lockkeeper help" },
  "cli.no-command-but": { says: "there is no command {word}", next: "{place}" },
  "cli.no-command-within": {
    says: "{within} has no command {word}; {word} is a command of its own",
    next: "lockkeeper help {word}",
  },
  "cli.topic-alone": {
    says: "help {topic} is one page: {word} is none of it",
    next: "lockkeeper help {topic}",
  },
  "cli.type-give-up": {
    says: "{rollout} is held and watched until the way back is done. This abort gives it up as it stands, and nobody watches then.\nType the name of the cluster, {cluster}, to give it up",
  },
  "cli.type-prune": {
    says: "Not in the file, and removed from the inventory by this: {clusters}.\nType remove to do so",
  },
  "fleet.none": {
    says: "the inventory is empty",
    next: "lockkeeper cluster apply FILE; lockkeeper cluster discover, or lockkeeper init postgresql, writes one",
  },
  "history.none": {
    says: "no rollout yet",
    next: "lockkeeper plan CLUSTER --to VERSION -o plan.json, then lockkeeper apply plan.json",
  },
  "cli.nobody-to-ask": {
    says: "there is no terminal to ask at; nothing was done",
    next: "add -y when the plan has been read",
  },
  "cli.detached": {
    says: "ended before there was an answer; what the coordinator was asked to do, it may do all the same",
    next: "lockkeeper status",
  },
  "cli.interrupted": { says: "interrupted before there was an answer; nothing was done" },
  "cli.not-confirmed": { says: 'typed "{typed}", wanted "{wanted}"; nothing was done' },
  "cli.file-unreadable": { says: "{path} cannot be read: {cause}" },
  "cli.file-unwritable": { says: "{path} cannot be written: {cause}" },
  "internal.unexpected": {
    says: "a defect in lockkeeper: {cause}",
    next: "lockkeeper status shows what the coordinator knows; please report the lines above",
  },
  "internal.file": {
    says: "{path} cannot be used: {cause}",
    next: "ls -ld {path}   shows whose it is; df {path}   how full its disk is",
  },
  "internal.document": {
    says: "the coordinator sent {got} where {wanted} was asked; are both of one version?",
  },
  "internal.rpc": { says: "the coordinator at {address} failed: {cause}" },
  "coordinator.not-leader": {
    says: "this coordinator does not lead, and the leader ({leader}) could not be reached",
    next: "lockkeeper doctor --coordinator {leader}",
  },
  "rollout.none": { says: "{name} has had no rollout yet", next: "lockkeeper plan {cluster} --to VERSION" },
  "rollout.unknown": { says: "there is no rollout or cluster {name}", next: "lockkeeper history" },
  "snapshot.unknown": { says: "there is no snapshot {id}", next: "lockkeeper snapshot list" },
  "who.operator": { says: "you" },
  "who.host-owner": { says: "whoever runs the host" },
  "who.nobody-needed": { says: "nobody: it goes on by itself" },
};
