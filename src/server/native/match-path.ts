/** The parameters of a path, decoded, or null if it does not fit the pattern: `/v1/sessions/{handle}`, say. */
export function matchPath(pattern: string, path: string): Readonly<Record<string, string>> | null {
  const wanted = pattern.split('/')
  // No more parts than are looked at, whatever the path (DOS-02).
  const given = path.split('/', wanted.length + 1)
  if (wanted.length !== given.length) return null
  const parameters: Record<string, string> = {}
  for (const [index, part] of wanted.entries()) {
    const value = given[index] ?? ''
    const name = /^\{(\w+)\}$/.exec(part)?.[1]
    if (name === undefined) {
      if (part !== value) return null
    } else {
      const decoded = decode(value)
      if (decoded === null) return null
      parameters[name] = decoded
    }
  }
  return parameters
}

function decode(segment: string): string | null {
  try {
    return segment === '' ? null : decodeURIComponent(segment)
  } catch {
    return null
  }
}
