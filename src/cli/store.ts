import { openStore } from '../server/open-store.ts'
import { guardStore } from '../session/guarded-store.ts'
import type { SessionStore } from '../session/store.ts'
import { parseArguments } from './settings.ts'
import type { OwnFlag, ParsedArguments } from './settings.ts'
import { requireStoreFile } from './store-url.ts'

/** The settings of a command that works on a store. */
export const storeFlags: readonly string[] = ['store', 'secret']

/** The flags that every command on a store has besides. */
export const commonFlags: Readonly<Record<string, OwnFlag>> = {
  app: { type: 'string', placeholder: 'ID', help: 'the application, if it is not the first one' },
  json: { type: 'boolean', help: 'answers as JSON' },
}

/** A command line of a command that works on a store. */
export interface StoreCall extends ParsedArguments {
  readonly json: boolean
}

/**
 * Reads a command line, opens the store that it names, and closes it whatever happens. What is to be done there is
 * chosen first: who asked wrongly is told so whether there is a store or not.
 */
export async function withStore<Result>(
  args: readonly string[],
  own: Readonly<Record<string, OwnFlag>>,
  choose: (call: StoreCall) => (store: SessionStore) => Promise<Result>,
): Promise<Result> {
  const parsed = parseArguments(args, process.env, { ...commonFlags, ...own })
  const { settings, flags } = parsed
  const appId = typeof flags['app'] === 'string' ? flags['app'] : 'public'
  const work = choose({ ...parsed, json: flags['json'] === true })
  requireStoreFile(settings.store)
  const store = guardStore(await openStore(settings.store, { appId, migrate: 'manual' }))
  try {
    return await work(store)
  } finally {
    await store.close()
  }
}

/** An instant as people read it, in UTC. */
export function dateOf(instant: number): string {
  return new Date(instant).toISOString().replace(/\.\d{3}Z$/, 'Z')
}

/** Lines up rows under a heading. */
export function table(heading: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [heading, ...rows]
  const widths = heading.map((_, column) => Math.max(...all.map(row => (row[column] ?? '').length)))
  return all.map(row => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ').trimEnd()).join('\n')
}
