import { readFileSync } from 'node:fs'
import { parseJsonObject } from '../base/json.ts'

/** The version of the package that contains this program; `unknown` if it was bundled without its package.json. */
export function packageVersion(): string {
  try {
    const { version } = parseJsonObject(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) ?? {}
    return typeof version === 'string' ? version : 'unknown'
  } catch {
    return 'unknown'
  }
}
