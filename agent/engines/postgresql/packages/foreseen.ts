/** What would become of this host if the packages of the agent's file were installed: looked at only. */
import { readFile } from "node:fs/promises";
import { fail, type Outcome, succeed } from "#proto/common/failure.ts";
import type { PgPackages } from "#proto/engines/postgresql-packages.ts";
import { readInstalled, unsettledOn } from "../../../host/packages/installed.ts";
import { untilUnlocked } from "../../../host/packages/locks.ts";
import { type Offer, readOffers } from "../../../host/packages/offers.ts";
import { simulate } from "../../../host/packages/simulation.ts";
import { packageToolOn } from "../../../host/packages/tool.ts";
import type { Host } from "../../../verb.ts";
import { majorOfServer } from "./clusters.ts";
import { type NamedPackage, namedIn } from "./settings.ts";

/**
 * Refused: `packages.not-debian`, `packages.locked`, `packages.unsettled`, `packages.lists-not-read`, `packages.no-plan`.
 * @param limitMs how long others may go on changing packages before it is given up
 */
export async function foresee(
  host: Host,
  texts: readonly string[],
  { limitMs, signal }: { readonly limitMs: number; readonly signal: AbortSignal },
): Promise<Outcome<PgPackages>> {
  const tool = await packageToolOn(host);
  if (tool !== "dpkg")
    return fail("packages.not-debian", { tool: tool ?? "no package manager that is known" });
  const free = await untilUnlocked(host, { limitMs, signal });
  if (!free.ok) return free;
  const unsettled = await unsettledOn(host);
  if (unsettled.length > 0) return fail("packages.unsettled", { found: unsettled.join(", ") });
  const named = texts.map(namedIn);
  const there = await presentOf(host, named);
  const absent = named.filter(({ name, version }) => !isThere(there.get(name), version));
  const installed = named
    .filter((each) => !absent.includes(each))
    .map(({ name }) => `${name} ${there.get(name)}`);
  const nothing = { installed, notFound: [], adds: [], changes: [], removes: [], whyMainCluster: null };
  if (absent.length === 0) return succeed(nothing);
  const offers = await readOffers(
    host,
    absent.map(({ name }) => name),
  );
  if (!offers.ok) return offers;
  const chosen = absent.map((each) => ({ ...each, chosen: chosenOf(each, offers.value.get(each.name)) }));
  const notFound = chosen.filter((each) => each.chosen === undefined).map(shown);
  if (notFound.length > 0) return succeed({ ...nothing, notFound });
  const simulated = await simulate(
    host,
    "install",
    chosen.map((each) => `${each.name}=${each.chosen}`),
  );
  if (!simulated.ok) return simulated;
  const { adds, changes, removes } = simulated.value;
  const isNamed = (name: string) => absent.some((each) => each.name === name);
  const originOf = (name: string, version: string) => offers.value.get(name)?.origins[version]?.join(", ");
  return succeed({
    ...nothing,
    adds: adds.map((each) => ({
      ...each,
      origin: originOf(each.name, each.version) ?? each.origin,
      isNamed: isNamed(each.name),
    })),
    changes: [...changes],
    removes: [...removes],
    whyMainCluster: adds.some(({ name }) => majorOfServer(name) !== undefined)
      ? await whyMainCluster(host)
      : null,
  });
}

/** The version of each that is whole; absent where it is not. */
async function presentOf(host: Host, named: readonly NamedPackage[]): Promise<ReadonlyMap<string, string>> {
  const names = new Set(named.map(({ name }) => name));
  const all = [...(await readInstalled(host)).values()];
  const whole = all.filter(({ name, state }) => names.has(name) && state === "installed");
  return new Map(whole.map(({ name, version }) => [name, version]));
}

function isThere(found: string | undefined, wanted: string | undefined): boolean {
  return found !== undefined && (wanted === undefined || wanted === found);
}

function chosenOf({ version }: NamedPackage, offer: Offer | undefined): string | undefined {
  if (version === undefined) return offer?.candidate;
  return offer !== undefined && Object.hasOwn(offer.origins, version) ? version : undefined;
}

function shown({ name, version }: NamedPackage): string {
  return version === undefined ? name : `${name}=${version}`;
}

const configuration = "/etc/postgresql-common/createcluster.conf";

/** What we put beside this file is read where it says so, as the package's own does; an older one may not. */
async function whyMainCluster(host: Host): Promise<string | null> {
  const text = await readFile(host.path(configuration), "utf8").catch(() => undefined);
  if (text === undefined) return null;
  const isRead = /^\s*include_dir\s*=?\s*'?\/etc\/postgresql-common\/createcluster\.d'?/m.test(text);
  const isOff = /^\s*create_main_cluster\s*=?\s*'?(?:false|off|no|0)\b/im.test(text);
  return isRead || isOff ? null : configuration;
}
