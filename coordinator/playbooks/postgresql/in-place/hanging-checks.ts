/** Checks of what hangs on the old server: standbys, consumers of changes, archives and managers do not go along by themselves. */
import { firstOf, isForeign } from "../pair.ts";
import { judge } from "../result.ts";
import { majorOn } from "../sides.ts";
import type { ServerCheck } from "./asked.ts";

/** From here on `pg_upgrade` takes logical slots and subscriptions along. */
const keepsLogical = 17;

const standbys: ServerCheck = ({ side: { facts, cluster } }) =>
  judge({ id: "in-place-standbys", yields: "acknowledge" }, facts.standbys, (count) => [
    count === 0 ? "ok" : "unknown",
    { cluster, count: String(count) },
  ]);

/** Of standbys and of receivers of WAL: they name a position that the new server does not have. */
const physicalSlots: ServerCheck = ({ side: { facts, cluster } }) =>
  judge({ id: "in-place-physical-slots", yields: "acknowledge" }, facts.slots, (all) => {
    const found = all.filter(({ plugin }) => plugin === null).map(({ name }) => name);
    return [found.length === 0 ? "ok" : "unknown", { cluster, found: firstOf(found) }];
  });

/** Before 17 they are lost without a word; later one that has not read everything is refused after the stop. */
const slots: ServerCheck = ({ side }) => {
  const { facts, cluster } = side;
  const isKept = majorOn(side) >= keepsLogical;
  return judge({ id: "in-place-slots", yields: isKept ? "never" : "acknowledge" }, facts.slots, (all) => {
    const logical = all.filter(({ plugin }) => plugin !== null);
    if (!isKept)
      return [
        logical.length === 0 ? "ok" : "unknown",
        { cluster, found: firstOf(logical.map(({ name, database }) => `${name} in ${database}`)) },
      ];
    const behind = logical.filter(({ isActive, walStatus }) => !isActive || walStatus === "lost");
    const found = firstOf(behind.map(({ name, walStatus }) => `${name} (${walStatus ?? "not read"})`));
    return [behind.length === 0 ? "ok" : "ko", { cluster, found }];
  });
};

/** An enabled one writes behind the fence, and it would stop there. */
const subscriptions: ServerCheck = ({ side }) => {
  const { facts, cluster } = side;
  const isKept = majorOn(side) >= keepsLogical;
  return judge(
    { id: "in-place-subscriptions", yields: isKept ? "never" : "acknowledge" },
    facts.subscriptions,
    (all) => {
      const foreign = all.filter(isForeign);
      const wrong = isKept ? foreign.filter(({ isEnabled }) => isEnabled) : foreign;
      const found = firstOf(wrong.map(({ name, database }) => `${name} in ${database}`));
      if (wrong.length === 0) return ["ok", { cluster }];
      return [isKept ? "ko" : "unknown", { cluster, found, first: wrong[0]?.name ?? "" }];
    },
  );
};

const managed: ServerCheck = ({ side: { facts, cluster } }) =>
  judge({ id: "in-place-managed", yields: "acknowledge" }, facts.highAvailability, (found) => [
    found.length === 0 ? "ok" : "unknown",
    { cluster, found: found.map(({ kind, by }) => `${kind} (${by})`).join(", ") },
  ]);

/** The new server begins a history of its own: to a place with the old one's, its first files would not fit. */
const archive: ServerCheck = ({ side: { facts, cluster } }) =>
  judge({ id: "in-place-archive", yields: "acknowledge" }, facts.settings, (all) => {
    const found = all["archive_mode"] ?? "?";
    return [found === "off" ? "ok" : "unknown", { cluster, found }];
  });

export const hangingChecks: readonly ServerCheck[] = [
  standbys,
  physicalSlots,
  slots,
  subscriptions,
  managed,
  archive,
];
