import { acceptedUrls } from '../stores/registry.ts'
import type { MigrationResult } from '../stores/registry.ts'
import { UsageError } from './command.ts'
import type { Command } from './command.ts'
import type { OwnFlag } from './settings.ts'
import { describeStoreFlags, parseStoreCall } from './store.ts'

const own: Readonly<Record<string, OwnFlag>> = {
  print: {
    type: 'boolean',
    help: 'prints the SQL for an administrator to run, and changes nothing; the scheme of a URL is enough',
  },
}

/** `keyturn migrate`: creates or updates a store's tables, or prints the SQL that does. */
export const migrate: Command = {
  summary: 'creates or updates the tables of a store',
  help: `keyturn migrate [URL] [--print]

Creates or updates the tables of a store, and the file if the store is a file. It is safe to run it again, or in several
processes at once. Each application of a server has its own tables: run it once for each, with --app.

${describeStoreFlags(own)}`,

  async run(args, terminal) {
    const { words, flags, json, place: { url, kind, naming } } = parseStoreCall(args, own)
    if (words.length > 0) throw new UsageError(`migrate takes one argument, the store: ${acceptedUrls}`)
    const { title, migrations } = kind
    if (migrations === null) throw new UsageError(`${title} has no tables: there is nothing to migrate`)
    if (flags['print'] === true) {
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
