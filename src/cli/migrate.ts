import { parseArgs } from 'node:util'
import type { MigrationResult } from '../stores/sql/migrations.ts'
import { UsageError } from './command.ts'
import type { Command } from './command.ts'
import { kindOfStore, mysqlUrl, openStore, storeUrlHelp, storeUrlOf } from './store-url.ts'
import type { StoreNaming } from './store-url.ts'

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
    if (print) {
      terminal.out((await printMigrations(url, naming)).trimEnd())
      return 0
    }
    const result = await applyMigrations(url, naming)
    terminal.out(json ? JSON.stringify(result) : describe(result))
    return 0
  },
}

async function printMigrations(url: string, naming: StoreNaming): Promise<string> {
  switch (kindOfStore(url)) {
    case 'sqlite': return (await import('../stores/sqlite.ts')).printSqliteMigrations(naming)
    case 'postgres': return (await import('../stores/postgres.ts')).printPostgresMigrations(naming)
    case 'mysql': return (await import('../stores/mysql.ts')).printMysqlMigrations(naming)
    case 'redis': throw new UsageError('Redis has no tables: there is nothing to migrate')
  }
}

async function applyMigrations(url: string, naming: StoreNaming): Promise<MigrationResult | null> {
  switch (kindOfStore(url)) {
    case 'sqlite':
      // The store migrates its file when it opens it.
      await (await openStore(url, naming)).close()
      return null
    case 'postgres': return (await import('../stores/postgres.ts')).migratePostgres(url, naming)
    case 'mysql': return (await import('../stores/mysql.ts')).migrateMysql(mysqlUrl(url), naming)
    case 'redis': throw new UsageError('Redis has no tables: there is nothing to migrate')
  }
}

function describe(result: MigrationResult | null): string {
  if (result === null) return 'The tables are up to date.'
  const { from, to } = result
  if (from === to) return `The tables are up to date (version ${to}).`
  return `The tables were migrated from version ${from} to ${to}.`
}
