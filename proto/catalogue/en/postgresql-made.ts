import type { Catalogue } from "../render.ts";

/** Words of a new server that is made by us: its checks, why no plan, why a step ends, and the way back. */
export const postgresqlMade: Catalogue = {
  "check.postgresql.make-nodes": { says: "the new cluster is one server" },
  "check.postgresql.make-nodes.ko": {
    says: "{cluster} has {found} nodes; one server is made, and standbys are yours to make from it",
    next: "lockkeeper cluster remove-node for each that is to be a standby",
  },
  "check.postgresql.make-allowed": { says: "the new host's agent may make a server there" },
  "check.postgresql.make-allowed.ko": {
    says: "the agent's file of {cluster} names no place for a new server",
    next: "engine.settings.made in /etc/lockkeeper/agent.yaml of the new host: { unit: postgresql@VERSION-main, bin: /usr/lib/postgresql/VERSION/bin, data: /var/lib/postgresql/VERSION/main, config: /etc/postgresql/VERSION/main }; then systemctl restart lockkeeper-agent",
  },
  "check.postgresql.make-allowed.unknown": {
    says: "what its file names could not be looked at",
    next: "are the packages there? apt-get install postgresql-VERSION",
  },
  "check.postgresql.make-birth": { says: "what the old server was made with is known ({found})" },
  "check.postgresql.make-birth.ko": {
    says: "the agent of {cluster} does not tell what its server was made with: it is too old",
    next: "a newer agent on the old host; then systemctl restart lockkeeper-agent",
  },
  "check.postgresql.make-birth.unknown": { says: "what the old server was made with could not be asked" },
  "check.postgresql.make-version": { says: "the programs on the new host are of the version that is wished" },
  "check.postgresql.make-version.ko": {
    says: "the old server runs {from}, the programs on the new host are {found}, wished is {to}",
    next: "apt-get install postgresql-{to} on the new host, and look at bin under made in its agent's file",
  },
  "check.postgresql.make-folders": { says: "the new server's folders are free" },
  "check.postgresql.make-folders.ko": {
    says: "not empty: {found}; what was there before is never removed",
    next: "on Debian, a cluster that the package has made and nobody uses: pg_dropcluster --stop VERSION main",
  },
  "check.postgresql.make-unit": { says: "the new server's unit is known and at rest" },
  "check.postgresql.make-unit.ko": {
    says: "{name} is {load} and {active}",
    next: "wanted is loaded and inactive: systemctl status {name}; then systemctl stop {name}, or systemctl unmask {name}",
  },
  "check.postgresql.make-port": { says: "the new server's port is free" },
  "check.postgresql.make-port.ko": {
    says: "something listens there already: {found}",
    next: "ss -lptn 'sport = :{port}' on the new host; stop it, or name another port in the agent's file",
  },
  "check.postgresql.make-socket": { says: "the agent will get in over the server's socket" },
  "check.postgresql.make-socket.ko": {
    says: "the new host's agent could not get in without a password: {why}",
    next: "host: /var/run/postgresql in its agent's file; then systemctl restart lockkeeper-agent",
  },
  "check.postgresql.make-listen": {
    says: "the addresses that the new server listens at are known ({listen})",
  },
  "check.postgresql.make-listen.ko": {
    says: "the old server listens at {found}: an address of its own host is none of the new one's",
    next: "listen: ADDRESS under made in the new host's agent's file; then systemctl restart lockkeeper-agent",
  },
  "check.postgresql.make-listen.unknown": { says: "where the old server listens could not be asked" },
  "check.postgresql.make-locales": { says: "the new host has every locale in use" },
  "check.postgresql.make-locales.ko": {
    says: "not there: {found}",
    next: "on the new host: localedef -i NAME -f UTF-8 {first}; on Debian: dpkg-reconfigure locales",
  },
  "check.postgresql.make-locales.unknown": { says: "which are in use could not be asked" },
  "check.postgresql.make-libraries": {
    says: "the new programs have every library that is loaded at the start",
  },
  "check.postgresql.make-libraries.ko": {
    says: "of shared_preload_libraries, not there for {to}: {found}",
    next: "install their packages for {to} on the new host",
  },
  "check.postgresql.make-libraries.unknown": { says: "which are loaded could not be asked" },
  "check.postgresql.make-extensions": { says: "the new programs have every extension in use" },
  "check.postgresql.make-extensions.ko": {
    says: "not there for {to}: {found}",
    next: "install their packages for {to} on the new host, or DROP EXTENSION what nobody uses",
  },
  "check.postgresql.make-extensions.unknown": { says: "which are in use could not be asked" },
  "check.postgresql.make-tablespaces": { says: "each tablespace has a folder on the new host" },
  "check.postgresql.make-tablespaces.ko": {
    says: "the new host's agent's file names no folder for: {found}",
    next: "under made in it: tablespaces: { {first}: /FOLDER }; then systemctl restart lockkeeper-agent",
  },
  "check.postgresql.make-tablespaces.unknown": { says: "they could not be listed" },
  "check.postgresql.make-room": { says: "there is room for the data" },
  "check.postgresql.make-room.ko": {
    says: "{free} MiB are free for {data}, {wanted} are wanted",
    next: "make room, or name another folder in the new host's agent's file",
  },
  "check.postgresql.make-room.unknown": { says: "how large the databases are could not be asked" },

  "postgresql.make-strategy": {
    says: "a server is made for a move: --method make-server does not go with --strategy {strategy}",
    next: "lockkeeper plan {cluster} --to {to} --into NEW --method make-server",
  },
  "postgresql.make-without-target": {
    says: "for which cluster is a server to be made?",
    next: "lockkeeper plan {cluster} --to {to} --into NEW --method make-server",
  },
  "postgresql.make-nodes": {
    says: "{into} has {nodes} nodes; one server is made, and standbys are yours to make from it",
    next: "lockkeeper cluster remove-node for each that is to be a standby",
  },
  "postgresql.make-not-set": {
    says: "the agent's file of {into} names no place for a new server, or its agent has not reported",
    next: "engine.settings.made in /etc/lockkeeper/agent.yaml of the new host; then systemctl restart lockkeeper-agent",
  },
  "postgresql.make-not-allowed": {
    says: "this agent's file names no place for a new server",
    next: "engine.settings.made in /etc/lockkeeper/agent.yaml names its unit, programs and folders",
  },
  "postgresql.make-version": {
    says: "{cluster} runs {from}, and the programs on the new host are {found}: that is no way to {to}",
    next: "look at bin under made in the new host's agent's file",
  },
  "postgresql.make-not-begun": {
    says: "rollout {rollout} has made nothing on this host, or its notes are gone",
    next: "plan anew",
  },
  "postgresql.not-made-yet": {
    says: "no server is made yet in {data}",
    next: "lockkeeper plan CLUSTER --to VERSION --into NEW --method make-server",
  },
  "postgresql.account-unknown": {
    says: "the account {account} is not known on this host: {cause}",
    next: "the package of the server makes it; or name another one as account under made",
  },
  "postgresql.locales-not-listed": { says: "the host's locales could not be listed: {cause}" },
  "postgresql.parcel-unreadable": {
    says: "what the other server's agent has sent is not understood ({what}): {cause}",
    next: "install the same version of the agent on both hosts, then plan anew",
  },
  "postgresql.certificates-missing": {
    says: "the old server encrypts its connections, and these files are not on this host: {files}",
    next: "keys are not carried: place them there, readable by the server's account; then lockkeeper retry ROLLOUT",
  },
  "postgresql.tablespace-not-named": {
    says: "this agent's file names no folder for the tablespace {name}",
    next: "tablespaces under made in /etc/lockkeeper/agent.yaml; then systemctl restart lockkeeper-agent",
  },
  "postgresql.tablespaces-missing": {
    says: "not there after they were made: {names}",
    next: "the server's own log tells why; then lockkeeper retry ROLLOUT",
  },
  "postgresql.made-otherwise": {
    says: "the new server is not what was wanted: {found}",
    next: "lockkeeper abort ROLLOUT, and plan anew",
  },
  "postgresql.made-server-used": {
    says: "the server in {data} is not taken away: it holds {found}",
    next: "a move that went into it is led back first, by plan --back of its own rollout; else it is yours to remove",
  },
  "postgresql.made-server-not-asked": {
    says: "whether the server in {data} holds views, functions or roles of somebody's, only it can say, and it is not asked: it does not run, or lets the agent not in",
    next: "systemctl start {unit}   (on its host), then lockkeeper retry ROLLOUT; is nothing in it for sure, its folder is yours to remove",
  },
  "downtime.postgresql.none": { says: "none: the old server serves on, and a new one is made for the move" },
  "way.postgresql.made-undone": {
    says: "lockkeeper abort ROLLOUT: what was made goes, the new host is as it was",
  },
  "way-back.postgresql.made": {
    says: "until something is on the new server: lockkeeper plan --back ROLLOUT stops it and takes away what was made",
  },
  "way-back.postgresql.made-again": { says: "forward again is a plan of its own" },
  "warning.postgresql.made-open": {
    says: "pg_hba.conf goes along: from the addresses in it the new server is reached too. It has no role yet but the agent's",
  },
};
