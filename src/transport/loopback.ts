/**
 * Which names mean this machine and nothing else.
 *
 * A page of any website can make a browser send requests to 127.0.0.1, and a name that the attacker
 * owns can point there (DNS rebinding). So a node that is open to this machine only must look at the
 * Host and Origin headers, and must compare whole names: `127.0.0.1.evil.example` starts like a
 * loopback address, and `127.1`, `0x7f.1` or `::ffff:127.0.0.1` are other spellings that no client
 * of ours uses.
 */

const loopbackNames: ReadonlySet<string> = new Set(["127.0.0.1", "localhost", "::1"]);
/** `name`, `name:port`, `[v6]` or `[v6]:port`. */
const hostPattern = /^(?:\[([0-9a-f:]+)\]|([^:[\]/?#@\s]+))(?::\d{1,5})?$/;

/** `host` as given to `listen`: 127.0.0.1, localhost or ::1 (with or without brackets). */
export function isLoopbackHost(host: string): boolean {
  const name = host.toLowerCase();
  return loopbackNames.has(name) || name === "[::1]";
}

/** The value of a Host header: a loopback name with an optional port. */
export function isLoopbackHostHeader(header: string | undefined): boolean {
  const match = hostPattern.exec(header?.toLowerCase() ?? "");
  const name = match?.[1] ?? match?.[2];
  return name !== undefined && loopbackNames.has(name);
}

/** The value of an Origin header: a page that this machine serves itself. */
export function isLoopbackOrigin(origin: string): boolean {
  const match = /^https?:\/\/([^/]+)$/.exec(origin.toLowerCase());
  return match !== null && isLoopbackHostHeader(match[1]);
}
