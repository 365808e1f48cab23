import { platform } from '#platform'
import { received } from '../base/options.ts'
import type { EpochMilliseconds } from '../base/time.ts'
import { isAppId } from '../server/app-id.ts'
import { findStoreSettingProblems, locateStore } from '../server/store-place.ts'
import type { StorePlace } from '../server/store-place.ts'
import { guardStore } from '../session/guarded-store.ts'
import type { SessionStore } from '../session/store.ts'
import { openStoreByUrl } from '../stores/registry.ts'
import type { StoreState } from '../stores/registry.ts'
import { reasonOf, UsageError } from './command.ts'
import type { Terminal } from './command.ts'
import { describeFlags, describeSettings, parseArguments } from './settings.ts'
import type { OwnFlag, ParsedArguments } from './settings.ts'
import { readStoreTime } from './store-time.ts'

/** The settings of a command that uses a store. */
const storeSettings: readonly string[] = ['store', 'prefix', 'schema', 'secret']

/** The other flags that every command with a store has. */
const commonFlags: Readonly<Record<string, OwnFlag>> = {
  app: { type: 'string', placeholder: 'ID', help: 'one of the server\'s applications; by default the first one' },
  json: { type: 'boolean', help: 'prints the result as JSON' },
}

/** The arguments of a command that uses a store. */
export interface StoreCall extends ParsedArguments {
  readonly json: boolean
  /** Where the application's sessions are. */
  readonly place: StorePlace
}

/** What a command does in a store. `now` is the time that all processes with this store use. */
export type StoreWork<Result> = (store: SessionStore, now: EpochMilliseconds) => Promise<Result>

/** The help about the store and the command's own flags. */
export function describeStoreFlags(own: Readonly<Record<string, OwnFlag>>): string {
  return `${describeFlags({ ...own, ...commonFlags })}\n${describeSettings(storeSettings)}`
}

/** Reads a command line, and does not open the store. @throws UsageError for invalid arguments. */
export function parseStoreCall(args: readonly string[], own: Readonly<Record<string, OwnFlag>>): StoreCall {
  const parsed = parseArguments(args, process.env, { settings: storeSettings, own: { ...commonFlags, ...own } })
  const { settings, flags } = parsed
  const appId = typeof flags['app'] === 'string' ? flags['app'] : 'public'
  if (!isAppId(appId)) {
    throw new UsageError(`--app must be an id of 1 to 20 characters a-z, 0-9 and -; received ${received(appId, false)}`)
  }
  const problems = findStoreSettingProblems({ ...settings, apps: [appId] })
  if (problems.length > 0) throw new UsageError(problems.join('\n'))
  return { ...parsed, json: flags['json'] === true, place: locateStore(settings, appId) }
}

/**
 * Opens an existing store, and creates nothing: a new, empty store would look as if no user were logged in (V-10).
 * @throws Error if there is none. The message says what it looked for, where, and how to create it.
 */
export async function openExisting(place: StorePlace): Promise<SessionStore> {
  const { url, kind, naming } = place
  const state = await kind.inspect(url, naming)
  if (state.condition !== 'ready') throw new Error(explainState(state, kind))
  return openReady(place)
}

/** Opens a store that `inspect` has found ready. */
export async function openReady({ url, naming }: StorePlace): Promise<SessionStore> {
  return guardStore(await openStoreByUrl(url, { ...naming, migrate: 'manual' }))
}

/** The message about a store that cannot be used: why, what to check, and how to create it. */
export function explainState({ condition, target }: StoreState, kind: StorePlace['kind']): string {
  if (condition === 'newer') return `a newer version of Keyturn has migrated this store (${target}): use that version`
  const command = '`keyturn migrate` with the same URL, --prefix'
    + `${kind.schema === null ? '' : ', --schema'} and --app`
  if (condition === 'outdated') {
    return `the tables are older than this version of Keyturn (${target}): ${command} updates them`
  }
  const creation = kind.migrations === null
    ? 'A server or an application creates it when it starts'
    : `If the store is new, ${command} creates it`
  return `there is no ${target}. Check the URL (or KEYTURN_STORE), --prefix${kind.schema === null ? '' : ', --schema'} `
    + `and --app. ${creation}`
}

/**
 * Reads a command line, opens the store that it names, does the work, and always closes the store. `choose` runs before
 * the store is opened: invalid arguments are reported whether or not the store exists. If the store's clock cannot be
 * used, this prints a warning and uses this machine's clock, so that sessions can still be revoked.
 */
export async function withStore<Result>(
  args: readonly string[],
  own: Readonly<Record<string, OwnFlag>>,
  terminal: Terminal,
  choose: (call: StoreCall) => StoreWork<Result>,
): Promise<Result> {
  const call = parseStoreCall(args, own)
  const work = choose(call)
  const store = await openExisting(call.place)
  try {
    const now = await readStoreTime(store).catch((error: unknown) => {
      terminal.error(`${reasonOf(error)}. Using this machine's clock instead`)
      return platform.clock()
    })
    return await work(store, now)
  } finally {
    await store.close()
  }
}

/** Formats an instant, in milliseconds since 1970, as a date and time in UTC. */
export function dateOf(instant: number): string {
  return new Date(instant).toISOString().replace(/\.\d{3}Z$/, 'Z')
}

/** Formats rows as a table with a heading. */
export function table(heading: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [heading, ...rows]
  const widths = heading.map((_, column) => Math.max(...all.map(row => (row[column] ?? '').length)))
  return all.map(row => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ').trimEnd()).join('\n')
}
