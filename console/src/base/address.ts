// Addresses are in the fragment: the console works under any path without help of the server, and browsers do not
// remove the parts `.` and `..`, as they do from a path.

/** Where the console is: the parts of the path, decoded, and the parameters. */
export interface Route {
  readonly path: readonly string[]
  readonly query: URLSearchParams
}

/** Parses the fragment of an address. The last part may be empty: `#/users/` is the user with the empty id. */
export function parseRoute(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#?\/?/, '').split('?', 2)
  return { path: path === '' ? [] : path.split('/').map(decode), query: new URLSearchParams(query) }
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

/** The address of a page. Parameters without a value are left out. */
export function hrefOf(
  path: readonly string[], query: Readonly<Record<string, string | null | undefined>> = {},
): string {
  const given = Object.entries(query).filter((entry): entry is [string, string] => entry[1] != null && entry[1] !== '')
  const parameters = new URLSearchParams(given).toString()
  return `#/${path.map(encodeURIComponent).join('/')}${parameters === '' ? '' : `?${parameters}`}`
}

export const userHref = (userId: string): string => hrefOf(['users', userId])
export const sessionHref = (handle: string): string => hrefOf(['sessions', handle])
