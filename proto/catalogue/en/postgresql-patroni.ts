import type { Catalogue } from "../render.ts";

/** Words of a source that Patroni manages: its checks, and why a step on its host ends. */
export const postgresqlPatroni: Catalogue = {
  "check.postgresql.source-patroni": { says: "the source is the leader of its Patroni cluster" },
  "check.postgresql.source-patroni.ko": {
    says: "this host is {member} of {cluster}, and the leader is {leader}",
    next: "patronictl switchover --candidate {member}, or name the leader's node in the inventory",
  },
  "check.postgresql.source-patroni.unknown": { says: "Patroni could not be asked" },
  "check.postgresql.source-patroni-method": { says: "Patroni can be told to keep the slots of this way" },
  "check.postgresql.source-patroni-method.ko": {
    says: "by {method} it is not known how: Patroni would drop its slots",
    next: "leave --method away: the server's own logical replication",
  },
  "check.postgresql.source-patroni-standby-cluster": {
    says: "the source's Patroni cluster follows no other one",
  },
  "check.postgresql.source-patroni-standby-cluster.ko": {
    says: "{scope} is a standby cluster; nothing can be replicated from it",
    next: "move the cluster that it follows; or promote it: patronictl edit-config -s standby_cluster=null",
  },
  "check.postgresql.source-patroni-members": { says: "all members of the source's Patroni cluster are well" },
  "check.postgresql.source-patroni-members.warn": {
    says: "not well: {found}; a failover to one of them would take long",
    next: "patronictl list; patronictl reinit {scope} MEMBER",
  },
  "check.postgresql.source-patroni-paused": { says: "Patroni of the source is not paused" },
  "check.postgresql.source-patroni-paused.warn": {
    says: "somebody has paused {scope}: until then nobody fails over, and nobody starts a server that has died; it stays as it is",
    next: "patronictl resume {scope}; it is paused for the cut-over by the plan, and only then",
  },
  "check.postgresql.source-patroni-hba": { says: "pg_hba.conf of the source is not Patroni's own" },
  "check.postgresql.source-patroni-hba.warn": {
    says: "Patroni writes pg_hba.conf of {cluster} when it starts the server: our line goes with it, and the new server gets in only where a line of Patroni's own lets it",
    next: "patronictl edit-config, or its file: postgresql.pg_hba with a line: host all all ADDRESS-OF-THE-NEW-SERVER/32 scram-sha-256",
  },
  "check.postgresql.source-patroni-slots": { says: "Patroni keeps the slots of the move over a failover" },
  "check.postgresql.source-patroni-slots.warn": {
    says: "after a failover of {cluster} the slots are gone, and the copy begins anew: {why}",
    next: "where it is the inventory: all members as nodes of {cluster}, each with its agent",
  },
  "postgresql.patroni-not-named": {
    says: "the agent's file names no Patroni",
    next: "engine.settings.patroni in the agent's file, then systemctl restart lockkeeper-agent",
  },
  "postgresql.patroni-file": {
    says: "Patroni's own file cannot be read: {path} ({cause})",
    next: "look at engine.settings.patroni in the agent's file",
  },
  "postgresql.patronictl-failed": {
    says: "patronictl {command} failed: {cause}",
    next: "run it on the host; does etcd (or consul, zookeeper) answer? then lockkeeper retry ROLLOUT",
  },
  "postgresql.patroni-not-taken": {
    says: "Patroni was told and its configuration still lacks it: {what}",
    next: "patronictl show-config on the host, then lockkeeper retry ROLLOUT",
  },
  "postgresql.patroni-other-leader": {
    says: "this host ({member}) does not lead {scope}: {leader} does",
    next: "patronictl switchover --candidate {member}, then lockkeeper retry ROLLOUT; after a failover: lockkeeper plan --back ROLLOUT, and plan anew",
  },
  "postgresql.timeline-changed": {
    says: "the old cluster has failed over since contents were compared last (timeline {before}, now {now}): whether the new server has what it has cannot be told",
    next: "lockkeeper plan --back {rollout} -o back.json; lockkeeper apply back.json; then plan anew",
  },
  "postgresql.contents-not-all": {
    says: "the old cluster has failed over, and not every table could be compared since: {found}",
    next: "raise settings.verify-within of the cluster's entry: go back first, lockkeeper plan --back ROLLOUT; then plan anew",
  },
  "postgresql.leader-moved": {
    says: "{cluster} is led by {leader} now; what was before the move is written down on {node}",
    next: "on its host: patronictl switchover --candidate {node}, then plan --back again",
  },
};
