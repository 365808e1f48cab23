import type { ResponseWriter } from './exchange.ts'

/**
 * Adds names to a header that is a list of names, such as `Vary`, unless it contains them. Compares whole names and
 * ignores case (CMP-12). `Vary: *` stays as it is.
 */
export function addToList(reply: Pick<ResponseWriter, 'get' | 'set'>, header: string, names: readonly string[]): void {
  const value = reply.get(header)
  if (value === null) return reply.set(header, names.join(', '))
  const present = value.split(',').map(name => name.trim()).filter(name => name !== '')
  const known = new Set(present.map(name => name.toLowerCase()))
  const missing = known.has('*') && header === 'vary' ? [] : names.filter(name => !known.has(name.toLowerCase()))
  if (missing.length > 0) reply.set(header, [...present, ...missing].join(', '))
}
