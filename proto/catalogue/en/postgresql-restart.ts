import type { Catalogue } from "../render.ts";

/** Words of settings that need a restart: who brings them into force, and why a step of it ends. */
export const postgresqlRestart: Catalogue = {
  ...ofPlan("wal-level"),
  ...ofPlan("slot-room"),
  ...ofPlan("sender-room"),
  ...ofPlan("worker-room"),
  ...ofPlan("process-room"),
  "check.postgresql.source-restart": { says: "the source has what it needs without a restart" },
  "check.postgresql.source-restart.warn": {
    says: "the plan sets {settings}, and restarts {nodes}: before all else, each under its lock and within the windows; its clients are cut off for seconds",
    next: "nothing to do; the settings stay after the move, and go with a way back",
  },
  "check.postgresql.source-restart.ko": {
    says: "the plan could set {settings} and restart {cluster} for it, but: {why}",
    next: "engine.settings.unit in the agent's file of each of its servers (postgresql@15-main); or set them yourself and restart",
  },
  "postgresql.set-by-plan": { says: "the plan sets {settings}" },
  "postgresql.setting-not-written": {
    says: "{names} could not be written down: another line decides",
    next: "look at pg_file_settings, or at patronictl show-config; then lockkeeper retry ROLLOUT",
  },
  "postgresql.setting-not-in-force": {
    says: "the server was restarted, and these are still as they were: {names}",
    next: "does its command line set them? SELECT name, setting, source FROM pg_settings; then lockkeeper retry ROLLOUT",
  },
  "postgresql.restart-not-named": {
    says: "the agent's file names no unit to restart",
    next: "engine.settings.unit in the agent's file, systemctl restart lockkeeper-agent, then lockkeeper retry ROLLOUT",
  },
  "postgresql.unit-of-another": {
    says: "{unit} is not the unit of the server in {data}: main process of the unit {mainPid}, of the server {pid}",
    next: "systemctl status PID tells the server's own unit (on Debian postgresql@15-main, never postgresql); write it as engine.settings.unit into the agent's file, systemctl restart lockkeeper-agent, then lockkeeper retry ROLLOUT; a server without a unit is yours to restart and to stop",
  },
  "postgresql.restart-failed": {
    says: "{command} failed: {cause}",
    next: "systemctl status and the server's log on its host; then lockkeeper retry ROLLOUT, or lockkeeper abort ROLLOUT",
  },
};

function ofPlan(id: string): Catalogue {
  return { [`check.postgresql.source-${id}.not-applicable`]: { says: "the plan sees to it" } };
}
