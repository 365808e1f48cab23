import { platform } from '#platform'
import { received } from '../base/options.ts'
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
import { LONGEST_RETENTION, MAX_KEYS } from '../tokens/plan-rotation.ts'
import { UsageError } from './command.ts'
import type { Command, ExitCode, Terminal } from './command.ts'
import { encrypt } from './encrypt-keys.ts'
import type { OwnFlag, ParsedArguments } from './settings.ts'
import { dateOf, describeStoreFlags, table, withStore } from './store.ts'

const own: Readonly<Record<string, OwnFlag>> = {
  purpose: {
    type: 'string', placeholder: 'NAME', help: `rotate: only keys of this purpose: ${keyPurposes.join(', ')}`,
  },
  finish: { type: 'boolean', help: 'encrypt: continues an earlier run that was interrupted' },
}

/** `keyturn keys`. */
export const keys: Command = {
  summary: 'lists, rotates, retires and encrypts keys',
  help: `keyturn keys list [URL]
keyturn keys rotate [URL] [--purpose NAME]
keyturn keys retire KID [URL]
keyturn keys encrypt [URL] [--finish]

list     shows the purpose and state of each key, when it becomes active, and whether it is encrypted; if secrets are
         given, which of them decrypts it. Never shows the keys themselves.
rotate   creates new keys. They are published now and used from an hour later, when every server has read them. A key
         that is published and not used yet is shown again instead. Keys that sign long-lived tokens (core-static) are
         created only if --purpose names them. Needs the secret if the keys in the store are encrypted.
retire   removes a key, for example a stolen one. Every process refuses at once what the key signed or issued.
encrypt  encrypts the keys of a store that was used without a secret so far. Needs the secret. From then on every
         process needs it: run this right before you deploy with the secret.

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
    throw new UsageError(`keys takes one of: list, rotate, retire KID, encrypt. The store is ${acceptedUrls}`)
  }),
}

/** The parts of a key that may be shown. */
interface ShownKey {
  readonly kid: string
  /** Its `kid` in published key sets; empty for a refresh key, which is never published. */
  readonly publishedAs: string
  readonly purpose: string
  readonly algorithm: string
  readonly state: 'pending' | 'active' | 'retiring'
  readonly createdAt: string
  readonly activeFrom: string
  readonly encrypted: boolean
  /** Which of the given secrets decrypts it, counted from 1; null: none does, or it is not encrypted. */
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
  else if (shown.length === 0) terminal.out('There are no keys yet: a server creates them when it starts.')
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

/** The purpose that `--purpose` names; null if it is not given. @throws UsageError if there is no such purpose. */
function requirePurpose(text: ParsedArguments['flags'][string]): KeyPurpose | null {
  if (text === undefined) return null
  const purpose = keyPurposes.find(known => known === text)
  if (purpose === undefined) {
    throw new UsageError(`--purpose must be one of ${keyPurposes.join(', ')}; received ${received(text, false)}`)
  }
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
  const keyRequests = keyPurposes
    .filter(each => purpose === null ? rotates(each) : each === purpose)
    .flatMap(each => stored.findLast(key => key.purpose === each) ?? [])
  const { newest, added } = await rotateKeys({ store, loader, clock: () => now }, keyRequests)
  const shown: ShownKey[] = []
  for (const key of newest) shown.push(await show(key, [...stored, key], loader, now))
  if (json) terminal.out(JSON.stringify(shown))
  else for (const key of shown) terminal.out(describeNext(key, added.some(({ kid }) => kid === key.kid)))
  if (shown.length > 0) return 0
  terminal.error('no key was created: the store has no key of that purpose')
  return 1
}

function describeNext({ kid, purpose, state, activeFrom }: ShownKey, isAdded: boolean): string {
  if (isAdded) return `Created ${kid} (${purpose}), used from ${activeFrom} on.`
  if (state === 'pending') return `Created earlier: ${kid} (${purpose}), used from ${activeFrom} on.`
  return `Not created: the store has ${MAX_KEYS} keys of the purpose ${purpose}. `
    + 'Remove old ones with keyturn keys retire.'
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
    // A process takes an empty store for a new one: without the secret, it would add an unencrypted key.
    terminal.error('this is the only key of the store, and was not removed: replace it with '
      + '`keyturn sessions revoke --all`')
    return 1
  }
  const retired = key !== undefined && await store.removeKey(key.kid, now + LONGEST_RETENTION)
  if (json) terminal.out(JSON.stringify({ retired }))
  else if (retired) terminal.out('Removed the key. What it signed or issued is refused from now on.')
  if (!retired && !json) terminal.error('there is no key with this id: see `keyturn keys list`')
  return retired ? 0 : 1
}
