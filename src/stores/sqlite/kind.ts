import { GeneralError } from '../../base/errors.ts'
import type { StoreKind } from '../kind.ts'
import { tablePrefixRule } from '../options.ts'
import { tablePrefixFor } from '../sql/table-names.ts'

/** SQLite, for the registry of stores: `sqlite:<file>`, or `sqlite::memory:` for a store in this process alone. */
export const sqliteKind: StoreKind = {
  name: 'sqlite',
  title: 'SQLite',
  schemes: ['sqlite'],
  example: 'sqlite:keyturn.db',
  system: 'sqlite',
  isFile: true,
  prefix: tablePrefixRule,
  schema: null,
  hasPool: false,
  prefixFor: tablePrefixFor,
  async open(url, { migrate = 'auto', poolSize: _, ...naming }) {
    const { openFile } = await import('./file.ts')
    return openFile(fileOf(url), naming, migrate)
  },
  async inspect(url, naming) {
    const { inspectFile } = await import('./file.ts')
    return inspectFile(fileOf(url), naming)
  },
  migrations: {
    async apply(url, naming) {
      const { migrateFile } = await import('./file.ts')
      return migrateFile(fileOf(url), naming)
    },
    async print(naming) {
      const { printSqliteMigrations } = await import('./schema.ts')
      return printSqliteMigrations(naming)
    },
  },
}

/** The file that a URL names; `sqlite:///path` and `sqlite:/path` are the same. */
function fileOf(url: string): string {
  const file = url.slice('sqlite:'.length).replace(/^\/\/(?=\/)/, '')
  if (file !== '') return file
  throw new GeneralError('MISUSE', `the URL of a SQLite store must name a file, as in ${sqliteKind.example}`)
}
