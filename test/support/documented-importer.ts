import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { SessionImporter } from '../../src/session/importer.ts'
import { createDirectory } from './servers/workspace.ts'

/** What the example of docs/import.md exports. */
export interface DocumentedImporter {
  cookieSessions(keys: readonly string[]): SessionImporter
}

/** Loads the importer that docs/import.md shows, as it is printed there. */
export async function documentedImporter(): Promise<DocumentedImporter> {
  const page = readFileSync(join(import.meta.dirname, '../../docs/import.md'), 'utf8')
  const code = /```ts\n(\/\/ cookie-sessions\.ts\n.*?)```/s.exec(page)?.[1]
  if (code === undefined) throw new Error('docs/import.md has no example cookie-sessions.ts')
  const file = join(createDirectory(), 'cookie-sessions.ts')
  // Types are erased: the file imports nothing of Keyturn at run time.
  writeFileSync(file, code)
  return import(pathToFileURL(file).href)
}
