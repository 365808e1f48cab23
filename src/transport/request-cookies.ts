/**
 * A `Cookie` header in which some cookies are replaced, or removed (null). All other cookies stay unchanged.
 */
export function overrideCookies(
  header: string | null,
  overrides: readonly (readonly [name: string, value: string | null])[],
): string {
  const names = new Set(overrides.map(([name]) => name))
  const others = (header ?? '').split(';').map(pair => pair.trim()).filter(pair => {
    const equals = pair.indexOf('=')
    return pair !== '' && !names.has(equals === -1 ? pair : pair.slice(0, equals).trim())
  })
  const replaced = overrides.flatMap(([name, value]) => value === null ? [] : [`${name}=${value}`])
  return [...others, ...replaced].join('; ')
}
