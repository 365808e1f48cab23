import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { FindLogin } from '../../src/import/index.ts'
import type { SessionImporter } from '../../src/session/importer.ts'
import { createDirectory } from './servers/workspace.ts'

/** What the example of docs/import.md exports. */
export interface DocumentedImporter {
  cookieSessions(keys: readonly string[]): SessionImporter
}

/** Loads the importer that docs/import.md shows, as it is printed there. */
export function documentedImporter(): Promise<DocumentedImporter> {
  // Types are erased: the file imports nothing of Keyturn at run time.
  return documented('import.md', /```ts\n(\/\/ cookie-sessions\.ts\n.*?)```/s, 'cookie-sessions.ts')
}

/** Loads the function that docs/import/iron-session.md shows, as it is printed there. */
export function documentedLogin(): Promise<{ readonly userOfCookie: FindLogin }> {
  return documented('import/iron-session.md', /```js user-of-cookie\.js\n(.*?)```/s, 'user-of-cookie.mjs')
}

async function documented<Module>(page: string, block: RegExp, name: string): Promise<Module> {
  const code = block.exec(readFileSync(join(import.meta.dirname, '../../docs', page), 'utf8'))?.[1]
  if (code === undefined) throw new Error(`docs/${page} has no example ${name}`)
  const file = join(createDirectory(), name)
  writeFileSync(file, code)
  const found: Module = await import(pathToFileURL(file).href)
  return found
}
