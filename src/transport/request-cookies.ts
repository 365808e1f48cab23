/**
 * A `Cookie` header in which some cookies have another value, or none at all (null): what the rest of a request
 * sees once its cookies were replaced on the way. Every other cookie stays as it came.
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
