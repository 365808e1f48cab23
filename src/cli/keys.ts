import { platform } from '#platform'
import type { EpochMilliseconds } from '../base/time.ts'
import type { SessionStore } from '../session/store.ts'
import { createKeyVault } from '../tokens/key-material.ts'
import { keyPurposes } from '../tokens/key-store.ts'
import type { StoredKey } from '../tokens/key-store.ts'
import { LONGEST_RETENTION, planEarlyRotation } from '../tokens/plan-rotation.ts'
import { UsageError } from './command.ts'
import type { Command, ExitCode, Terminal } from './command.ts'
import { describeFlags, describeSettings } from './settings.ts'
import type { OwnFlag } from './settings.ts'
import { commonFlags, dateOf, storeFlags, table, withStore } from './store.ts'

const own: Readonly<Record<string, OwnFlag>> = {
  purpose: {
    type: 'string', placeholder: 'NAME', help: `rotate: only keys of this purpose: ${keyPurposes.join(', ')}`,
  },
}

/** `keyturn keys`. */
export const keys: Command = {
  summary: 'lists, rotates and retires keys',
  help: `keyturn keys list
keyturn keys rotate [--purpose NAME]
keyturn keys retire KID

list    shows the keys: what they are for and since when; never the keys themselves.
rotate  makes new keys. They are published now and used in an hour, when every server has read them; keys that sign
        long-lived tokens (core-static) are only made when they are named.
retire  removes a key: what it signed or issued is refused at once, everywhere. For a key that was stolen.

${describeFlags({ ...own, ...commonFlags })}
${describeSettings(storeFlags)}`,

  run: (args, terminal) => withStore(args, own, terminal, ({ settings, flags, words, json }) => {
    const [verb, ...rest] = words
    if (verb === 'list' && rest.length === 0) return (store, now) => list(store, now, json, terminal)
    if (verb === 'rotate' && rest.length === 0) {
      return (store, now) => rotate(store, now, settings.secrets, flags['purpose'], json, terminal)
    }
    if (verb === 'retire' && rest.length === 1) return (store, now) => retire(store, now, rest[0] ?? '', json, terminal)
    throw new UsageError('keys takes one of: list, rotate, retire KID')
  }),
}

/** What may be shown of a key. */
interface ShownKey {
  readonly kid: string
  /** Its name in the core protocol, if it signs there. */
  readonly publishedAs: string
  readonly purpose: string
  readonly algorithm: string
  readonly state: 'pending' | 'active' | 'retiring'
  readonly createdAt: string
  readonly activeFrom: string
}

async function list(
  store: SessionStore,
  now: EpochMilliseconds,
  json: boolean,
  terminal: Terminal,
): Promise<ExitCode> {
  const stored = await store.listKeys()
  const shown = stored.map(key => show(key, stored, now))
  if (json) terminal.out(JSON.stringify(shown))
  else if (shown.length === 0) terminal.out('There are no keys yet: a server makes them when it starts.')
  else terminal.out(table(
    ['KEY', 'PURPOSE', 'ALGORITHM', 'STATE', 'ACTIVE FROM', 'PUBLISHED AS'],
    shown.map(key => [key.kid, key.purpose, key.algorithm, key.state, key.activeFrom, key.publishedAs]),
  ))
  return 0
}

function show(key: StoredKey, all: readonly StoredKey[], now: EpochMilliseconds): ShownKey {
  const { kid, purpose, algorithm, createdAt, activeFrom } = key
  const isSucceeded = all.some(other => (
    other.purpose === purpose && other.activeFrom > activeFrom && other.activeFrom <= now
  ))
  return {
    kid,
    publishedAs: publishedName(key),
    purpose,
    algorithm,
    state: activeFrom > now ? 'pending' : isSucceeded ? 'retiring' : 'active',
    createdAt: dateOf(createdAt),
    activeFrom: dateOf(activeFrom),
  }
}

function publishedName({ kid, purpose, createdAt }: StoredKey): string {
  switch (purpose) {
    case 'access': return kid
    case 'refresh': return ''
    case 'core-dynamic': return `d-${createdAt}`
    case 'core-static': return `s-${kid}`
  }
}

async function rotate(
  store: SessionStore,
  now: EpochMilliseconds,
  secrets: readonly string[],
  purpose: string | boolean | undefined,
  json: boolean,
  terminal: Terminal,
): Promise<ExitCode> {
  if (purpose !== undefined && !keyPurposes.some(known => known === purpose)) {
    throw new UsageError(`--purpose must be one of ${keyPurposes.join(', ')}`)
  }
  const stored = await store.listKeys()
  const vault = await createKeyVault(platform.crypto, secrets, { name: 'default', audience: null })
  const made: ShownKey[] = []
  for (const each of keyPurposes) {
    const newest = stored.findLast(key => key.purpose === each)
    const isMeant = purpose === undefined ? each !== 'core-static' : each === purpose
    if (newest === undefined || !isMeant) continue
    const plan = planEarlyRotation(stored, each, now)
    const key = await vault.create({ purpose: each, algorithm: newest.algorithm }, now, plan.activeFrom)
    if (await store.addKeyIfNewest(key, plan.newest)) made.push(show(key, [...stored, key], now))
  }
  if (json) terminal.out(JSON.stringify(made))
  else for (const key of made) terminal.out(`Made ${key.kid} (${key.purpose}), to be used from ${key.activeFrom} on.`)
  if (made.length > 0) return 0
  terminal.error('no key was made: the store has none of that purpose yet, or another process has just made one')
  return 1
}

async function retire(
  store: SessionStore,
  now: EpochMilliseconds,
  name: string,
  json: boolean,
  terminal: Terminal,
): Promise<ExitCode> {
  const key = (await store.listKeys()).find(each => each.kid === name || publishedName(each) === name)
  const retired = key !== undefined && await store.removeKey(key.kid, now + LONGEST_RETENTION)
  if (json) terminal.out(JSON.stringify({ retired }))
  else if (retired) terminal.out('Retired. What the key signed or issued is refused from now on.')
  if (!retired && !json) terminal.error('there is no such key')
  return retired ? 0 : 1
}
