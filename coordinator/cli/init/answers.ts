/** What `init postgresql` wants to know: what each answer must look like, and what stands in for one that nobody gives. */
import { isLoopback, splitAddress } from "#proto/common/loopback.ts";

export interface ServerAnswers {
  /** The node's name in the inventory. */
  readonly node: string;
  /** As peers reach it: host:port. */
  readonly address: string;
  readonly user: string;
  /** Connected to for what belongs to no database. */
  readonly database: string;
  /** Empty: the server lets the agent in without one. */
  readonly password: string;
}

export interface Answers {
  readonly cluster: string;
  readonly into: string;
  /** The new server's major version. */
  readonly to: string;
  readonly old: ServerAnswers;
  readonly young: ServerAnswers;
  /** Whom the agents dial: host:port, at least one. */
  readonly coordinators: readonly string[];
  /** In plain text over a network that somebody trusts. */
  readonly insecure: boolean;
  /** Folder of PostgreSQL's client programs, on both hosts. */
  readonly tools: string;
}

/** By the name of its option. */
export type Given = Readonly<Partial<Record<AnswerName, string>>>;

export type AnswerName = (typeof questions)[number]["name"];

interface Question {
  readonly name: string;
  readonly asks: string;
  /** From the answers so far; undefined: there has to be an answer. */
  readonly otherwise: (given: Readonly<Record<string, string>>) => string | undefined;
  readonly isRight: (text: string) => boolean;
  readonly mustBe: string;
}

const name = {
  isRight: (text: string) => /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/.test(text),
  mustBe: "a name of letters, digits, '.', '_' or '-', at most 63",
};
const address = {
  isRight: (text: string) => splitAddress(withPort(text)) !== undefined,
  mustBe: "host or host:port, IPv6 in brackets",
};
const word = { isRight: (text: string) => /^[^\s'"\\]{1,63}$/.test(text), mustBe: "one word without quotes" };
const folder = { isRight: (text: string) => /^\/[^\s'"\\]*$/.test(text), mustBe: "an absolute path" };

export const questions = [
  { name: "cluster", asks: "Name of the cluster that goes over", otherwise: () => "postgresql", ...name },
  { name: "into", asks: "Name of the new cluster", otherwise: (given) => `${given["cluster"]}-new`, ...name },
  {
    name: "to",
    asks: "Major version of the new server",
    otherwise: () => "18",
    isRight: (text: string) => /^1\d$/.test(text),
    mustBe: "a major version from 10 to 19",
  },
  { name: "old", asks: "Address of the old server", otherwise: () => undefined, ...address },
  { name: "new", asks: "Address of the new server", otherwise: () => undefined, ...address },
  {
    name: "old-node",
    asks: "Name of the old server's node",
    otherwise: (given) => `${given["cluster"]}-1`,
    ...name,
  },
  {
    name: "new-node",
    asks: "Name of the new server's node",
    otherwise: (given) => `${given["into"]}-1`,
    ...name,
  },
  { name: "old-user", asks: "A superuser of the old server", otherwise: () => "postgres", ...word },
  { name: "new-user", asks: "A superuser of the new server", otherwise: () => "postgres", ...word },
  {
    name: "old-database",
    asks: "A database of the old server to connect to",
    otherwise: () => "postgres",
    ...word,
  },
  {
    name: "new-database",
    asks: "A database of the new server to connect to",
    otherwise: () => "postgres",
    ...word,
  },
  {
    name: "tools",
    asks: "Folder of psql, pg_dump, pg_dumpall and pg_restore on both hosts, of the newer version",
    otherwise: (given) => `/usr/lib/postgresql/${given["to"]}/bin`,
    ...folder,
  },
  {
    name: "coordinator",
    asks: "The coordinator, as the agents reach it",
    // an agent on another host would dial its own loopback
    otherwise: (given) =>
      [given["old"], given["new"]].every((each) => isLoopback(withPort(each ?? "")))
        ? "127.0.0.1:7440"
        : undefined,
    isRight: (text: string) => coordinatorsIn(text).every((each) => splitAddress(each) !== undefined),
    mustBe: "host:port, several with commas",
  },
] as const satisfies readonly Question[];

/** What may not be equal to what: of the old server and of the new one. */
export const partnerOf: Readonly<Partial<Record<AnswerName, AnswerName>>> = {
  cluster: "into",
  into: "cluster",
  old: "new",
  new: "old",
  "old-node": "new-node",
  "new-node": "old-node",
};

export interface Words {
  /** Every question's answer. */
  readonly given: Readonly<Record<AnswerName, string>>;
  readonly insecure: boolean;
  readonly oldPassword: string;
  readonly newPassword: string;
}

export function toAnswers({ given, insecure, oldPassword, newPassword }: Words): Answers {
  return {
    cluster: given.cluster,
    into: given.into,
    to: given.to,
    old: {
      node: given["old-node"],
      address: withPort(given.old),
      user: given["old-user"],
      database: given["old-database"],
      password: oldPassword,
    },
    young: {
      node: given["new-node"],
      address: withPort(given.new),
      user: given["new-user"],
      database: given["new-database"],
      password: newPassword,
    },
    coordinators: coordinatorsIn(given.coordinator),
    insecure,
    tools: given.tools,
  };
}

export function coordinatorsIn(text: string): readonly string[] {
  return text.split(",");
}

/** PostgreSQL's own port where none is told. */
export function withPort(text: string): string {
  return /:\d+$/.test(text) && !/^\[[^\]]*$/.test(text) ? text : `${text}:5432`;
}

/** Two agents on one host may share neither file nor folder. */
export function isOneHost({ old, young }: Answers): boolean {
  const [first, second] = [old, young].map((each) => splitAddress(each.address)?.host.toLowerCase() ?? "");
  return first === second || (isLoopback(old.address) && isLoopback(young.address));
}

/** The address without its port. */
export function hostOf(server: ServerAnswers): string {
  return splitAddress(server.address)?.host ?? server.address;
}
