import { hrefOf } from './address.ts'
import type { SessionFilter } from './sessions.ts'

/** A session handle: `c` or `h`, and 22 characters of base64url. */
const HANDLE = /^[ch][A-Za-z0-9_-]{22}$/
const IPV4 = /^\d{1,3}(?:\.\d{1,3}){3}$/
const IPV6 = /^(?=.*:.*:)[0-9a-f:.]+$/i

/** Where a text in the search box leads to: a session, the sessions from an address, or those of a user. */
export function searchHref(text: string): string {
  const wanted = text.trim()
  if (HANDLE.test(wanted)) return hrefOf(['sessions', wanted])
  const isAddress = IPV4.test(wanted) || IPV6.test(wanted)
  return hrefOf(['sessions'], isAddress ? { ip: wanted } : { user: wanted })
}

/** The filter that the address bar names. */
export function filterFrom(query: URLSearchParams): SessionFilter {
  const of = (name: string): string => query.get(name) ?? ''
  return { user: of('user'), tenant: of('tenant'), ip: of('ip'), device: of('device') }
}
