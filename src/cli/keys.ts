import { platform } from '#platform'
import type { EpochMilliseconds } from '../base/time.ts'
import type { SessionStore } from '../session/store.ts'
import { acceptedUrls } from '../stores/registry.ts'
import { rotateKeys } from '../tokens/change-keys.ts'
import { isEncrypted } from '../tokens/encryption.ts'
import { createKeyLoader } from '../tokens/key-material.ts'
import type { KeyLoader } from '../tokens/key-material.ts'
import { activeAt, newestFirst } from '../tokens/key-ring.ts'
import { keyPurposes, rotates, signingRules } from '../tokens/key-store.ts'
import type { KeyPurpose, StoredKey } from '../tokens/key-store.ts'
import { LONGEST_RETENTION } from '../tokens/plan-rotation.ts'
import { UsageError } from './command.ts'
import type { Command, ExitCode, Terminal } from './command.ts'
import { encrypt } from './encrypt-keys.ts'
import type { OwnFlag, ParsedArguments } from './settings.ts'
import { dateOf, describeStoreFlags, table, withStore } from './store.ts'

const own: Readonly<Record<string, OwnFlag>> = {
  purpose: {
    type: 'string', placeholder: 'NAME', help: `rotate: only keys of this purpose: ${keyPurposes.join(', ')}`,
  },
  finish: { type: 'boolean', help: 'encrypt: goes on with an earlier run that was interrupted' },
}

/** `keyturn keys`. */
export const keys: Command = {
  summary: 'lists, rotates, retires and encrypts keys',
  help: `keyturn keys list [URL]
keyturn keys rotate [URL] [--purpose NAME]
keyturn keys retire KID [URL]
keyturn keys encrypt [URL] [--finish]

list     shows the keys: what they are for, since when, and whether they are encrypted, with the secrets given by which
         of them; never the keys themselves.
rotate   makes new keys. They are published now and used in an hour, when every server has read them; keys that sign
         long-lived tokens (core-static) are only made when they are named. Needs the secret if there is one.
retire   removes a key: what it signed or issued is refused at once, everywhere. For a key that was stolen.
encrypt  encrypts the keys of a store that had no secret so far. Needs the secret. From then on every process needs
         it: run this right before you deploy with the secret.

${describeStoreFlags(own)}`,

  run: (args, terminal) => withStore(args, own, terminal, ({ settings, flags, words, json }) => {
    const [verb, ...rest] = words
    const { secrets } = settings
    if (verb === 'list' && rest.length === 0) return (store, now) => list(store, now, secrets, json, terminal)
    if (verb === 'rotate' && rest.length === 0) {
      const purpose = requirePurpose(flags['purpose'])
      return (store, now) => rotate(store, now, secrets, purpose, json, terminal)
    }
    if (verb === 'retire' && rest.length === 1) return (store, now) => retire(store, now, rest[0] ?? '', json, terminal)
    if (verb === 'encrypt' && rest.length === 0) {
      if (secrets.length === 0) throw new UsageError('keys encrypt needs the secret: set KEYTURN_SECRET, or --secret')
      return store => encrypt(store, secrets, flags['finish'] === true, json, terminal)
    }
    throw new UsageError(`keys takes one of: list, rotate, retire KID, encrypt; and the store, ${acceptedUrls}`)
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
  readonly encrypted: boolean
  /** Which of the secrets that were given decrypts it, counted from 1; null: none, or none is needed. */
  readonly secret: number | null
}

async function list(
  store: SessionStore,
  now: EpochMilliseconds,
  secrets: readonly string[],
  json: boolean,
  terminal: Terminal,
): Promise<ExitCode> {
  const stored = await store.listKeys()
  const loader = await createKeyLoader(platform.crypto, secrets)
  const shown: ShownKey[] = []
  for (const key of stored) shown.push(await show(key, stored, loader, now))
  if (json) terminal.out(JSON.stringify(shown))
  else if (shown.length === 0) terminal.out('There are no keys yet: a server makes them when it starts.')
  else terminal.out(table(
    ['KEY', 'PURPOSE', 'ALGORITHM', 'STATE', 'ACTIVE FROM', 'ENCRYPTED', 'PUBLISHED AS'],
    shown.map(key => [
      key.kid, key.purpose, key.algorithm, key.state, key.activeFrom, encryptionOf(key, loader), key.publishedAs,
    ]),
  ))
  return 0
}

function encryptionOf({ encrypted, secret }: ShownKey, { hasSecret }: KeyLoader): string {
  if (!encrypted) return 'no'
  if (secret !== null) return `secret ${secret}`
  return hasSecret ? 'another secret' : 'yes'
}

async function show(
  key: StoredKey,
  all: readonly StoredKey[],
  loader: KeyLoader,
  now: EpochMilliseconds,
): Promise<ShownKey> {
  const { kid, purpose, algorithm, createdAt, activeFrom } = key
  const active = activeAt(newestFirst(all.filter(other => other.purpose === purpose)), now)
  const secret = await loader.secretOf(key).catch(() => null)
  return {
    kid,
    publishedAs: publishedName(key),
    purpose,
    algorithm,
    state: kid === active.kid ? 'active' : activeFrom > now ? 'pending' : 'retiring',
    createdAt: dateOf(createdAt),
    activeFrom: dateOf(activeFrom),
    encrypted: isEncrypted(key),
    secret: secret === null ? null : secret + 1,
  }
}

function publishedName(key: StoredKey): string {
  return key.purpose === 'refresh' ? '' : signingRules[key.purpose].publicKid(key)
}

/** The purpose that was named; null: none was. @throws UsageError if there is no such purpose. */
function requirePurpose(text: ParsedArguments['flags'][string]): KeyPurpose | null {
  if (text === undefined) return null
  const purpose = keyPurposes.find(known => known === text)
  if (purpose === undefined) throw new UsageError(`--purpose must be one of ${keyPurposes.join(', ')}`)
  return purpose
}

async function rotate(
  store: SessionStore,
  now: EpochMilliseconds,
  secrets: readonly string[],
  purpose: KeyPurpose | null,
  json: boolean,
  terminal: Terminal,
): Promise<ExitCode> {
  const loader = await createKeyLoader(platform.crypto, secrets)
  const stored = await store.listKeys()
  const demands = keyPurposes
    .filter(each => purpose === null ? rotates(each) : each === purpose)
    .flatMap(each => stored.findLast(key => key.purpose === each) ?? [])
  const made: ShownKey[] = []
  for (const key of await rotateKeys({ store, loader, clock: () => now }, demands)) {
    made.push(await show(key, [...stored, key], loader, now))
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
  const stored = await store.listKeys()
  const key = stored.find(each => each.kid === name || publishedName(each) === name)
  if (key !== undefined && stored.length === 1) {
    // An empty store is a new one: the next process may add a key without the secret.
    terminal.error('it is the only key of the store: replace it with `keyturn sessions revoke --all`')
    return 1
  }
  const retired = key !== undefined && await store.removeKey(key.kid, now + LONGEST_RETENTION)
  if (json) terminal.out(JSON.stringify({ retired }))
  else if (retired) terminal.out('Retired. What the key signed or issued is refused from now on.')
  if (!retired && !json) terminal.error('there is no such key')
  return retired ? 0 : 1
}
