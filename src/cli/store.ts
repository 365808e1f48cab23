import { platform } from '#platform'
import type { EpochMilliseconds } from '../base/time.ts'
import { isAppId } from '../server/app-id.ts'
import { placeOf } from '../server/store-place.ts'
import { guardStore } from '../session/guarded-store.ts'
import type { SessionStore } from '../session/store.ts'
import { openStoreByUrl } from '../stores/registry.ts'
import { UsageError } from './command.ts'
import type { Terminal } from './command.ts'
import { parseArguments } from './settings.ts'
import type { OwnFlag, ParsedArguments } from './settings.ts'
import { readStoreTime } from './store-time.ts'
import { requireStore } from './store-url.ts'

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

/** What a command does in a store, where it is `now` for all processes. */
export type StoreWork<Result> = (store: SessionStore, now: EpochMilliseconds) => Promise<Result>

/**
 * Reads a command line, opens the store that it names, and closes it whatever happens. What is to be done there is
 * chosen first: who asked wrongly is told so whether there is a store or not. A clock that nobody can follow is told,
 * and stops nothing: a session can be revoked all the same.
 */
export async function withStore<Result>(
  args: readonly string[],
  own: Readonly<Record<string, OwnFlag>>,
  terminal: Terminal,
  choose: (call: StoreCall) => StoreWork<Result>,
): Promise<Result> {
  const parsed = parseArguments(args, process.env, { ...commonFlags, ...own })
  const { settings, flags } = parsed
  const appId = typeof flags['app'] === 'string' ? flags['app'] : 'public'
  if (!isAppId(appId)) throw new UsageError('--app must be an id of 1 to 20 characters a-z, 0-9 and -')
  const work = choose({ ...parsed, json: flags['json'] === true })
  const { url, naming } = placeOf(settings.store, appId)
  await requireStore(url, naming)
  const store = guardStore(await openStoreByUrl(url, { ...naming, migrate: 'manual' }))
  try {
    const now = await readStoreTime(store).catch((error: unknown) => {
      const reason = error instanceof Error ? error.message : String(error)
      terminal.error(`${reason}. Going by this machine's clock`)
      return platform.clock()
    })
    return await work(store, now)
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
