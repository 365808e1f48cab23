import type { ClientInfo } from './record.ts'

/**
 * Whether two clients that received the same refresh token are in different networks (a /24 of IPv4, a /48 of IPv6) or
 * have different user agents. Unknown values count as equal. Pure.
 */
export function isShared(one: ClientInfo, other: ClientInfo): boolean {
  return differ(networkOf(one.ip), networkOf(other.ip)) || differ(one.userAgent, other.userAgent)
}

function differ(one: string | null, other: string | null): boolean {
  return one !== null && other !== null && one !== other
}

/** The /24 or /48 of an address, in canonical form; null for a string that is not an address. */
function networkOf(ip: string | null): string | null {
  if (ip === null) return null
  const mapped = ip.toLowerCase().replace(/^::ffff:(?=\d+\.)/, '')
  if (/^\d+(\.\d+){3}$/.test(mapped)) return mapped.slice(0, mapped.lastIndexOf('.'))
  const groups = groupsOf(mapped.replace(/%.*/, ''))
  return groups === null ? null : groups.slice(0, 3).map(group => Number.parseInt(group, 16).toString(16)).join(':')
}

/** The eight groups of an IPv6 address, or null. */
function groupsOf(address: string): readonly string[] | null {
  const [head = '', tail, ...more] = address.split('::')
  const groups = (part: string): readonly string[] => part === '' ? [] : part.split(':')
  const before = groups(head)
  const after = tail === undefined ? [] : groups(tail)
  const missing = 8 - before.length - after.length
  const fits = tail === undefined ? missing === 0 : missing > 0
  const all = [...before, ...Array.from({ length: Math.max(missing, 0) }, () => '0'), ...after]
  return fits && more.length === 0 && all.every(group => /^[0-9a-f]{1,4}$/.test(group)) ? all : null
}
