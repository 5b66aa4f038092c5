/**
 * Addresses of NATS as they stand in configuration: `nats://host:port`, or `nats://TOKEN@host:port` where the server
 * asks for one. The client wants the token apart, and no log may show it.
 */

export interface Dialled {
  readonly servers: string[];
  readonly token?: string;
}

/** One token serves all servers of a cluster: the first that is named. */
export function dialled(addresses: readonly string[]): Dialled {
  const parts = addresses.map(split);
  const token = parts.find((part) => part.token !== undefined)?.token;
  return { servers: parts.map(({ server }) => server), ...(token === undefined ? {} : { token }) };
}

/** For people. */
export function withoutToken(address: string): string {
  return split(address).server;
}

function split(address: string): { readonly server: string; readonly token?: string } {
  const found = /^([a-z]+:\/\/)?([^@/:]+)@(.+)$/.exec(address);
  if (found === null) return { server: address };
  const [, scheme = "", token = "", place = ""] = found;
  return { server: `${scheme}${place}`, token: decodeURIComponent(token) };
}
