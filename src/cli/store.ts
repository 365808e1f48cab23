import { platform } from '#platform'
import type { EpochMilliseconds } from '../base/time.ts'
import { isAppId } from '../server/app-id.ts'
import { findMisnaming, placeOf } from '../server/store-place.ts'
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

/** The settings of a command that works on a store. */
const storeSettings: readonly string[] = ['store', 'prefix', 'schema', 'secret']

/** The flags that every command on a store has besides. */
const commonFlags: Readonly<Record<string, OwnFlag>> = {
  app: { type: 'string', placeholder: 'ID', help: 'the application, if it is not the first one of its server' },
  json: { type: 'boolean', help: 'answers as JSON' },
}

/** A command line of a command that works on a store. */
export interface StoreCall extends ParsedArguments {
  readonly json: boolean
  /** Where the application's sessions are. */
  readonly place: StorePlace
}

/** What a command does in a store, where it is `now` for all processes. */
export type StoreWork<Result> = (store: SessionStore, now: EpochMilliseconds) => Promise<Result>

/** The help on how a store is named, and on the command's own flags. */
export function describeStoreFlags(own: Readonly<Record<string, OwnFlag>>): string {
  return `${describeFlags({ ...own, ...commonFlags })}\n${describeSettings(storeSettings)}`
}

/** Reads a command line. @throws UsageError if it is wrong, whether there is a store or not. */
export function parseStoreCall(args: readonly string[], own: Readonly<Record<string, OwnFlag>>): StoreCall {
  const parsed = parseArguments(args, process.env, { settings: storeSettings, own: { ...commonFlags, ...own } })
  const { settings, flags } = parsed
  const appId = typeof flags['app'] === 'string' ? flags['app'] : 'public'
  if (!isAppId(appId)) throw new UsageError('--app must be an id of 1 to 20 characters a-z, 0-9 and -')
  const problems = findMisnaming({ ...settings, apps: [appId] })
  if (problems.length > 0) throw new UsageError(problems.join('\n'))
  return { ...parsed, json: flags['json'] === true, place: placeOf(settings, appId) }
}

/**
 * Opens a store that is there already, and makes nothing: what is not there would look as if nobody were logged in (V-10).
 * @throws Error that says what was looked for and where, and what makes it.
 */
export async function openExisting(place: StorePlace): Promise<SessionStore> {
  const { url, kind, naming } = place
  const state = await kind.inspect(url, naming)
  if (state.condition !== 'ready') throw new Error(explainState(state, kind))
  return openReady(place)
}

/** Opens a store that was found ready. */
export async function openReady({ url, naming }: StorePlace): Promise<SessionStore> {
  return guardStore(await openStoreByUrl(url, { ...naming, migrate: 'manual' }))
}

/** What to say of a store that cannot be used: why, what to check, and what makes it. */
export function explainState({ condition, sought }: StoreState, kind: StorePlace['kind']): string {
  if (condition === 'newer') return `a newer version of Keyturn has migrated this store (${sought}): use that version`
  const command = '`keyturn migrate` with the same URL, --prefix'
    + `${kind.schema === null ? '' : ', --schema'} and --app`
  if (condition === 'outdated') return `the tables are older than this version of Keyturn (${sought}): ${command} updates them`
  const made = kind.migrations === null
    ? 'A server or an application makes it when it starts'
    : `If nothing was ever kept there, ${command} makes it`
  return `there is no ${sought}. Check the URL (or KEYTURN_STORE), --prefix${kind.schema === null ? '' : ', --schema'} `
    + `and --app. ${made}`
}

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
  const call = parseStoreCall(args, own)
  const work = choose(call)
  const store = await openExisting(call.place)
  try {
    const now = await readStoreTime(store).catch((error: unknown) => {
      terminal.error(`${reasonOf(error)}. Going by this machine's clock`)
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
