import type { Catalogue } from "../render.ts";

/** Words of the packages that an agent's own file lets it install: what a host says of them, and why a step of them ends. */
export const postgresqlPackages: Catalogue = {
  "check.postgresql.packages": { says: "the packages of the agent's file are installed" },
  "check.postgresql.packages.warn": {
    says: "the plan installs on {node}: {named}; with them come: {along}; there already: {installed}. Nothing is upgraded, removed or started for it",
    next: "nothing to do; a way back before the cut-over takes them away again",
  },
  "check.postgresql.packages.ko": { says: "they cannot be installed on {node} as it stands" },
  "check.postgresql.packages.unknown": { says: "what they would become of {node} is not known" },
  "packages.not-debian": {
    says: "packages are installed by apt and dpkg alone, and this host has {tool}",
    next: "on {node}: install them yourself (dnf install …), and take `packages` out of the agent's file",
  },
  "packages.locked": {
    says: "others were still changing packages on this host after {limitMs} ms: {by}",
    next: "when they are through, ask again: lockkeeper check, or lockkeeper retry ROLLOUT",
  },
  "packages.unsettled": {
    says: "an earlier change of packages has not come to its end: {found}",
    next: "on {node}: dpkg --configure -a; apt-get -f install",
  },
  "packages.lists-not-read": {
    says: "apt-cache policy failed: {cause}",
    next: "on its host: apt-get update",
  },
  "packages.no-plan": {
    says: "apt finds no way for {names}: {cause}",
    next: "see for yourself: apt-get --simulate install {names}; packages that are held: apt-mark showhold",
  },
  "postgresql.packages-not-found": {
    says: "the package lists of this host do not have {found}",
    next: "on {node}: apt-get update; is the name right, and its archive in /etc/apt/sources.list.d? apt-cache policy NAME",
  },
  "postgresql.packages-would-change": {
    says: "what is installed would not stay as it is: {found}",
    next: "upgrade what they need yourself, in its own time; or name a version that goes with what is there: apt-cache policy NAME, then packages: [NAME=VERSION] in the agent's file",
  },
  "postgresql.packages-main-cluster": {
    says: "the server's package would make a cluster of its own: {file} does not read /etc/postgresql-common/createcluster.d",
    next: "echo \"include_dir '/etc/postgresql-common/createcluster.d'\" >> {file}",
  },
  "postgresql.packages-not-allowed": {
    says: "the agent's file names no packages that may be installed",
    next: "engine.settings.packages in it, systemctl restart lockkeeper-agent, then lockkeeper retry ROLLOUT",
  },
  "postgresql.packages-otherwise": {
    says: "the host would install {found} (not found: {missing}), and the plan says {planned}",
    next: "lockkeeper abort ROLLOUT, and plan anew",
  },
  "postgresql.packages-not-added": {
    says: "{command} failed: {cause}",
    next: "mend it on its host, then lockkeeper retry ROLLOUT, which goes on where it was; or lockkeeper abort ROLLOUT",
  },
  "postgresql.packages-not-whole": {
    says: "dpkg has them not, or not whole: {found}",
    next: "lockkeeper retry ROLLOUT; it runs dpkg --configure -a, and installs what is missing",
  },
  "postgresql.packages-changed": {
    says: "what was installed before is not as it was: {found}",
    next: "was it somebody else, at the same time? /var/log/apt/history.log tells; then lockkeeper retry ROLLOUT",
  },
  "postgresql.packages-made-cluster": {
    says: "while the packages were installed a cluster came to be: {found}",
    next: "is it nobody's? pg_dropcluster VERSION NAME; then lockkeeper retry ROLLOUT",
  },
  "postgresql.packages-not-removed": {
    says: "{command} failed: {cause}",
    next: "mend it on its host, then lockkeeper retry ROLLOUT",
  },
  "postgresql.packages-without": {
    says: "the packages are installed, and did not bring: {found}",
    next: "lockkeeper abort ROLLOUT, which takes them away; name the right ones as engine.settings.packages, systemctl restart lockkeeper-agent, and plan anew",
  },
  "undo.postgresql.remove-packages": {
    says: "the packages go again that were not there before and that nothing else needs",
  },
  "postgresql.comes-with-packages": {
    says: "it may come with {packages}: proven right after they are installed, before anything else is made",
  },
  ...comes("extensions"),
  ...comes("target-tools"),
  ...comes("target-pglogical"),
  ...comes("make-libraries"),
  ...comes("make-extensions"),
  ...comes("make-socket"),
  ...comes("make-unit"),
};

function comes(id: string): Catalogue {
  return { [`check.postgresql.${id}.not-applicable`]: { says: "not yet, and no reason to refuse" } };
}
