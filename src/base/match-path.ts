import { percentDecode } from './percent-decode.ts'

/** The decoded parameters of a path; null if it does not match the pattern, such as `/v1/sessions/{handle}`. */
export function matchPath(pattern: string, path: string): Readonly<Record<string, string>> | null {
  const wanted = pattern.split('/')
  // No more parts than are compared, however long the path is (DOS-02).
  const given = path.split('/', wanted.length + 1)
  if (wanted.length !== given.length) return null
  const parameters: Record<string, string> = {}
  for (const [index, part] of wanted.entries()) {
    const value = given[index] ?? ''
    const name = /^\{(\w+)\}$/.exec(part)?.[1]
    if (name === undefined) {
      if (part !== value) return null
    } else {
      const decoded = percentDecode(value)
      if (decoded === null || decoded === '') return null
      parameters[name] = decoded
    }
  }
  return parameters
}
