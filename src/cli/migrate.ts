import { parseArgs } from 'node:util'
import type { MigrationResult } from '../stores/registry.ts'
import { UsageError } from './command.ts'
import type { Command } from './command.ts'
import { requireStoreKind, storeUrlHelp, storeUrlOf } from './store-url.ts'

/** Makes or updates a store's tables, or prints the SQL that would. */
export const migrate: Command = {
  summary: 'makes or updates the tables of a store',
  help: `keyturn migrate [<store>] [--print] [--prefix <text>] [--schema <name>] [--json]

Makes or updates the tables of a store. Running it again, or in several processes at once, does no harm.

  ${storeUrlHelp}
  --print   prints the SQL instead, for whoever may change the database (the scheme is enough: postgres:)
  --prefix  what the names of the tables begin with (default keyturn_; those of a server's --app shop: keyturn_shop_)
  --schema  the schema of the tables (PostgreSQL)
  --json    answers as JSON`,

  async run(args, terminal) {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        print: { type: 'boolean' }, prefix: { type: 'string' }, schema: { type: 'string' }, json: { type: 'boolean' },
      },
    })
    const [named, ...rest] = positionals
    if (rest.length > 0) throw new UsageError('migrate takes one store')
    const url = storeUrlOf(named, process.env)
    const { print = false, json = false, ...naming } = values
    const { title, migrations } = requireStoreKind(url)
    if (migrations === null) throw new UsageError(`${title} has no tables: there is nothing to migrate`)
    if (print) {
      terminal.out((await migrations.print(naming)).trimEnd())
      return 0
    }
    const result = await migrations.apply(url, naming)
    terminal.out(json ? JSON.stringify(result) : describe(result))
    return 0
  },
}

function describe({ from, to }: MigrationResult): string {
  if (from === to) return `The tables are up to date (version ${to}).`
  return `The tables were migrated from version ${from} to ${to}.`
}
