import type { Catalogue } from "../render.ts";

/** Words of an upgrade in place by pg_upgrade: why no plan, why a step ends, what is asked, and the ways back. */
export const postgresqlInPlace: Catalogue = {
  "postgresql.in-place-strategy": {
    says: "in place nobody is served meanwhile: --method pg-upgrade goes with --strategy offline, and not with {strategy}",
    next: "lockkeeper plan {cluster} --to {to} --method pg-upgrade",
  },
  "postgresql.in-place-into": {
    says: "an upgrade in place goes into no other cluster: {into} was named",
    next: "lockkeeper plan {cluster} --to {to} --method pg-upgrade; or, for a move, leave --method out",
  },
  "postgresql.in-place-nodes": {
    says: "{cluster} has {nodes} nodes; in place one server is upgraded, and standbys are made anew from it",
    next: "lockkeeper cluster remove-node for each standby, or move into a new cluster: lockkeeper plan {cluster} --to {to} --into NEW",
  },
  "postgresql.in-place-not-set": {
    says: "the agent's file of {cluster} allows no upgrade in place",
    next: "engine.settings.inPlace in /etc/lockkeeper/agent.yaml names units, folders and programs of both versions; then systemctl restart lockkeeper-agent",
  },
  "postgresql.in-place-not-allowed": {
    says: "this agent's file allows no upgrade in place",
    next: "engine.settings.inPlace in /etc/lockkeeper/agent.yaml names units, folders and programs of both versions",
  },
  "postgresql.in-place-version": {
    says: "{cluster} runs {from}, and the new programs on its host are {found}: that is no way to {to}",
    next: "look at newBin in the agent's file",
  },
  "postgresql.in-place-not-begun": {
    says: "rollout {rollout} has made nothing on this host, or its notes are gone",
    next: "plan anew",
  },
  "postgresql.control-unreadable": { says: "the control file in {data} cannot be read: {cause}" },
  "postgresql.unit-unknown": {
    says: "systemd tells nothing of {unit}: {cause}",
    next: "look at unit and newUnit in the agent's file",
  },
  "postgresql.unit-refused": {
    says: "systemctl {order}: {cause}",
    next: "journalctl and the server's own log tell why; mend it, then lockkeeper retry ROLLOUT",
  },
  "postgresql.unit-masked": { says: "{unit} is still masked", next: "systemctl unmask {unit}" },
  "postgresql.unit-not-masked": {
    says: "{unit} could not be masked",
    next: "a unit file of your own below /etc/systemd/system is in the way: move it to /usr/local/lib/systemd/system",
  },
  "postgresql.another-folder": {
    says: "the server that answers has its data in {found}, and not in {data}",
    next: "look at data, newData, host and port in the agent's file",
  },
  "postgresql.new-data-not-empty": {
    says: "{data} is there already and not empty; it was not made by this rollout, and is not ours to empty",
    next: "move it away, or name another folder in the agent's file",
  },
  "postgresql.new-data-not-fresh": {
    says: "pg_upgrade was begun on {data} before, or nothing was made there",
    next: "made anew by lockkeeper retry ROLLOUT",
  },
  "postgresql.new-started-already": {
    says: "the new server was started already ({unit}): its data is not thrown away",
    next: "lockkeeper plan --back ROLLOUT shows what is left to do",
  },
  "postgresql.server-still-runs": {
    says: "a server still lives in {data} ({cause})",
    next: "who has started it? stop it as it was started, then lockkeeper retry ROLLOUT",
  },
  "postgresql.not-shut-down": {
    says: "the server in {data} was not shut down in order: its control file says {state}",
    next: "started again by lockkeeper abort ROLLOUT; then plan anew",
  },
  "postgresql.other-runs": {
    says: "the other server still runs: {found}; two on one port serve nobody",
    next: "stop it, then lockkeeper retry ROLLOUT",
  },
  "postgresql.server-does-not-serve": {
    says: "{unit} was started and does not serve: {cause}",
    next: "journalctl -u {unit} and the server's own log; then lockkeeper retry ROLLOUT",
  },
  "postgresql.linked-data-used": {
    says: "the new server was started on the files in {data}: the old one would find them changed, and is not started",
    next: "restore from a backup",
  },
  "postgresql.new-does-not-run": {
    says: "{unit} does not run: as long as that is so, the old data stays",
    next: "start it, then lockkeeper retry ROLLOUT",
  },
  "postgresql.configuration-refused": {
    says: "the new version does not take the configuration in {config}: {cause}",
    next: "mend it in the old server's files, from which it is carried; then lockkeeper retry ROLLOUT",
  },
  "postgresql.configuration-shared": {
    says: "{name} is not known to the new version, and stands in a file that both servers read: {file}:{line}",
    next: "take it out there, or into a file of the old server's own; then lockkeeper retry ROLLOUT",
  },
  "postgresql.upgrade-check-refused": {
    says: "pg_upgrade --check: {words} ({listed})",
    next: "nothing was changed on the old server. Mend what it names, then lockkeeper retry ROLLOUT",
  },
  "postgresql.upgrade-failed": {
    says: "pg_upgrade: {words} ({listed})",
    next: "the old server is started again by lockkeeper abort ROLLOUT; or mend the cause, then lockkeeper retry ROLLOUT",
  },
  "postgresql.upgrade-not-through": {
    says: "pg_upgrade has not come to its end: {found}",
    next: "begun anew, from the old data, by lockkeeper retry ROLLOUT; the old server is started again by lockkeeper abort ROLLOUT",
  },
  "postgresql.old-server-serves": {
    says: "{node}: the old server serves again ({version}, {systemId}), and not the new one",
    next: "who has started it? stop it, start the new one, then lockkeeper retry ROLLOUT",
  },
  "postgresql.back-linked": {
    says: "nothing leads back from rollout {rollout}: after --link the new server has changed the files of the old one in {data}",
    next: "restore from a backup; or go on: lockkeeper retry ROLLOUT",
  },
  "postgresql.back-in-place-retired": {
    says: "rollout {rollout} has let the old data go: {data} is not kept as it was, or nobody knows what stood before",
    next: "by hand, where the folder is still there: stop the new server, unmask and start the old unit; every row since the upgrade is lost",
  },
  "ask.postgresql.in-place-now": {
    says: "All is prepared, and pg_upgrade --check found nothing. From your yes until the new server is open, nobody is served. Now?",
  },
  "ask.postgresql.in-place-keep": {
    says: "Does the application run well on the new server? With your yes the way back ends. The old data folder stays, its unit masked.",
  },
  "ask.postgresql.in-place-remove": {
    says: "Does the application run well on the new server? With your yes the old data folder is removed.",
  },
  "downtime.postgresql.in-place": {
    says: "nobody is served while pg_upgrade runs: seconds to minutes with link or clone, as long as copying takes with copy",
  },
  "way-back.postgresql.in-place-before": {
    says: "until then: lockkeeper abort ROLLOUT, and lockkeeper plan --back ROLLOUT, which takes away what was made; the old server serves again, nothing is lost",
  },
  "way-back.postgresql.in-place-copied": {
    says: "after that, while the old data is kept: lockkeeper plan --back ROLLOUT starts the old server again; rows written since are LOST",
  },
  "way-back.postgresql.in-place-linked": {
    says: "after that there is none: both servers share their files",
  },
  "way-back.postgresql.in-place-again": { says: "forward again is an upgrade of its own" },
  "way.postgresql.in-place-gone": {
    says: "lockkeeper abort ROLLOUT: what was made goes; the old server serves all the time",
  },
  "way.postgresql.in-place-undone": {
    says: "until open-writes has begun: lockkeeper abort ROLLOUT, and the old server serves again",
  },
  "way.postgresql.in-place-back": {
    says: "from then on an abort undoes nothing: lockkeeper plan --back ROLLOUT starts the old server again; rows written since are LOST",
  },
  "way.postgresql.in-place-unstarted": {
    says: "until start-new has begun: lockkeeper abort ROLLOUT, and the old server serves again",
  },
  "way.postgresql.in-place-linked": {
    says: "from then on an abort undoes nothing, and nothing leads back but a backup: both servers share their files",
  },
  "warning.postgresql.in-place-downtime": {
    says: "nobody is served from the stage upgrade's first phase until open-writes",
  },
  "warning.postgresql.in-place-link": {
    says: "upgrade-mode link: from the new server's first start on, only a backup leads back. Is there one, and was it tried?",
  },
  "warning.postgresql.in-place-identity": {
    says: "the new server has a system identifier of its own: standbys, base backups and archives of WAL begin anew",
  },
  "check.postgresql.rows-since": { says: "rows that were written since the upgrade may be lost" },
  "check.postgresql.rows-since.unknown": {
    says: "ROWS THAT WERE WRITTEN SINCE THE UPGRADE ARE LOST: they are on the new server alone",
    next: "--ack postgresql.rows-since, when nobody needs them",
  },
  "warning.postgresql.rows-since": {
    says: "EVERY ROW THAT WAS WRITTEN SINCE THE UPGRADE IS LOST to the old server",
  },
  "warning.postgresql.new-data-stays": {
    says: "the new server's data folder stays, its unit masked: what was written since lies there. It is yours to remove",
  },
};
