import { readFileSync } from 'node:fs'
import { platform } from '#platform'
import { parseHandle } from '../base/handle.ts'
import type { SessionHandle } from '../base/handle.ts'
import { parseJsonObject } from '../base/json.ts'
import type { EpochMilliseconds } from '../base/time.ts'
import { isOfTenant, summarize } from '../session/manage.ts'
import type { ListedUser } from '../session/manage.ts'
import { changeStart, notBeforeAt } from '../session/policy.ts'
import { requireCdiUserId, TENANT_ID } from '../session/identifiers.ts'
import { removeEverySession, removeInParts, removeOfUser } from '../session/removals.ts'
import type { Removal, SessionStore } from '../session/store.ts'
import { acceptedUrls } from '../stores/registry.ts'
import { readKeys, replaceKeys } from '../tokens/change-keys.ts'
import { createKeyLoader } from '../tokens/key-material.ts'
import { LONGEST_RETENTION } from '../tokens/plan-rotation.ts'
import { UsageError } from './command.ts'
import type { Command, ExitCode, Terminal } from './command.ts'
import type { OwnFlag } from './settings.ts'
import { dateOf, describeStoreFlags, table, withStore } from './store.ts'
import type { StoreCall, StoreWork } from './store.ts'

const own: Readonly<Record<string, OwnFlag>> = {
  user: { type: 'string', placeholder: 'ID', help: 'revoke: every session of this user' },
  tenant: { type: 'string', placeholder: 'TENANT', help: 'list, revoke --user: only the sessions in this tenant' },
  'found-in': {
    type: 'string', placeholder: 'FILE',
    help: 'revoke: every session whose handle or token occurs in this text file, such as a log; - reads standard input',
  },
  all: { type: 'boolean', help: 'revoke: every session of every user' },
  yes: { type: 'boolean', help: 'revoke --all: confirms it' },
  after: { type: 'string', placeholder: 'POSITION', help: 'list: the page after this position' },
}

const PAGE = 100

/** `keyturn sessions`. */
export const sessions: Command = {
  summary: 'lists, shows and revokes sessions',
  help: `keyturn sessions list USER [URL] [--tenant TENANT] [--after POSITION]
keyturn sessions show HANDLE [URL]
keyturn sessions revoke HANDLE... [URL]
keyturn sessions revoke --user ID [URL] [--tenant TENANT]
keyturn sessions revoke --found-in FILE [URL]
keyturn sessions revoke --all --yes [URL]

list    lists a user's active sessions, newest first, ${PAGE} at a time.
show    shows one session with its JWT payload and session data. Exit code 1 if there is no such session.
revoke  revokes sessions at once. Exit code 1 if none of them existed. With --all, it replaces every key that rotates:
        no existing session is accepted any more, and every user must log in again. If the keys in the store are
        encrypted, --all needs the secret, or a new one.

${describeStoreFlags(own)}
If a user id begins like the URL of a store, write it last, after --.`,

  run: (args, terminal) => withStore(args, own, terminal, ({ settings, flags, words, json }) => {
    const [verb, ...rest] = words
    if (verb === 'list' && rest.length === 1) {
      const after = typeof flags['after'] === 'string' ? flags['after'] : null
      const userId = requireCdiUserId(rest[0])
      return (store, now) => list(store, now, { userId, tenantId: tenantOf(flags) }, after, json, terminal)
    }
    if (verb === 'show' && rest.length === 1) return (store, now) => show(store, now, rest[0] ?? '', json, terminal)
    const revoke = verb === 'revoke' ? chooseRevocation(rest, flags, settings.secrets, json, terminal) : null
    if (revoke !== null) return revoke
    throw new UsageError('sessions takes one of: list USER, show HANDLE, revoke HANDLE..., revoke --user ID, '
      + `revoke --found-in FILE, revoke --all --yes. The store is ${acceptedUrls}`)
  }),
}

/** The tenant that the flags name; null: all. @throws UsageError if it is no id of a tenant */
function tenantOf({ tenant }: StoreCall['flags']): string | null {
  if (typeof tenant !== 'string') return null
  if (TENANT_ID.test(tenant)) return tenant
  throw new UsageError('--tenant must be 1 to 64 lower-case letters, digits and hyphens')
}

/** The work of `revoke`; null unless the arguments name sessions in exactly one of the ways. */
function chooseRevocation(
  words: readonly string[],
  flags: StoreCall['flags'],
  secrets: readonly string[],
  json: boolean,
  terminal: Terminal,
): StoreWork<ExitCode> | null {
  const { user, 'found-in': file, all, yes } = flags
  if ([words.length > 0, user, file, all].filter(Boolean).length !== 1) return null
  const tenantId = tenantOf(flags)
  if (tenantId !== null && user === undefined) throw new UsageError('--tenant needs --user')
  if (all === true) {
    if (yes !== true) throw new UsageError('revoke --all logs out every user and cannot be undone: confirm with --yes')
    return (store, now) => revokeAll(store, now, secrets, json, terminal)
  }
  if (typeof user === 'string') {
    const userId = requireCdiUserId(user)
    return (store, now) => report(removeOfUser(store, {
      userId, tenantId, except: null, from: changeStart(now), notBefore: notBeforeAt(now),
    }), json, terminal)
  }
  const handles = typeof file === 'string'
    ? findHandles(readFileSync(file === '-' ? 0 : file, 'utf8'))
    : words.map(parseHandle).filter(handle => handle !== null)
  return (store, now) => report(removeInParts(store, handles, changeStart(now)), json, terminal)
}

async function list(
  store: SessionStore,
  now: EpochMilliseconds,
  { userId, tenantId }: ListedUser,
  after: string | null,
  json: boolean,
  terminal: Terminal,
): Promise<ExitCode> {
  const page = await store.listByUser(userId, { limit: PAGE, after })
  const active = page.sessions.filter(record => record.expiresAt > now && isOfTenant(record, tenantId)).map(summarize)
  if (json) {
    terminal.out(JSON.stringify({ sessions: active, next: page.next }))
    return 0
  }
  if (active.length === 0) terminal.out('This user has no active session.')
  else terminal.out(table(
    ['SESSION', 'TENANT', 'CREATED', 'EXPIRES', 'CLIENT'],
    active.map(session => [
      session.handle, session.tenantId, dateOf(session.createdAt), dateOf(session.expiresAt),
      [session.ip, session.userAgent].filter(text => text !== null).map(printable).join(' '),
    ]),
  ))
  if (page.next !== null) terminal.out(`Next page: --after ${page.next}`)
  return 0
}

async function show(
  store: SessionStore,
  now: EpochMilliseconds,
  text: string,
  json: boolean,
  terminal: Terminal,
): Promise<ExitCode> {
  const handle = parseHandle(text)
  const record = handle === null ? null : await store.find(handle)
  if (record === null || record.expiresAt <= now) {
    if (json) terminal.out('null')
    else terminal.error('there is no active session with this handle')
    return 1
  }
  const shown = {
    ...summarize(record),
    generation: record.generation,
    jwtPayload: parseJsonObject(record.jwtPayload),
    sessionInfo: parseJsonObject(record.sessionInfo),
  }
  if (json) {
    terminal.out(JSON.stringify(shown))
    return 0
  }
  for (const [name, value] of Object.entries(shown)) {
    const isInstant = typeof value === 'number' && name.endsWith('At')
    const words = isInstant ? dateOf(value) : typeof value === 'string' ? value : JSON.stringify(value)
    terminal.out(`${name.padEnd(16)} ${printable(words)}`)
  }
  return 0
}

/** Replaces every key that rotates, so that no existing session is accepted any more (REV-03). */
async function revokeAll(
  store: SessionStore,
  now: EpochMilliseconds,
  secrets: readonly string[],
  json: boolean,
  terminal: Terminal,
): Promise<ExitCode> {
  if ((await store.listKeys()).length === 0) {
    terminal.error('the store has no keys and therefore no sessions: is this the right store?')
    return 1
  }
  const changer = { store, loader: await createKeyLoader(platform.crypto, secrets), clock: () => now }
  const made = await replaceKeys(changer, now + LONGEST_RETENTION)
  await readKeys(changer)
  await removeEverySession(store, now)
  if (json) terminal.out(JSON.stringify({ keys: made.map(({ kid, purpose }) => ({ kid, purpose })) }))
  else terminal.out(`Replaced all keys that rotate (${made.length} new keys): all sessions are revoked, and every user `
    + 'must log in again.')
  if (secrets.length === 0) {
    terminal.error('the new keys are not encrypted: read access to the store is enough to forge access tokens. '
      + 'Encrypt them with `keyturn keys encrypt`')
  }
  return 0
}

/** Finds handles in a text: on their own, in refresh tokens, or in the claims of access tokens. They may not exist. */
function findHandles(text: string): readonly SessionHandle[] {
  const claims = [...text.matchAll(/(?<![\w-])eyJ[\w-]+\.(eyJ[\w-]+)/g)]
    .map(([, segment = '']) => Buffer.from(segment, 'base64url').toString())
  const words = [text, ...claims].flatMap(each => each.match(/(?<![\w-])[ch][\w-]{22}(?![\w-])/g) ?? [])
  return [...new Set(words)].map(parseHandle).filter(handle => handle !== null)
}

async function report(removals: AsyncIterable<Removal>, json: boolean, terminal: Terminal): Promise<ExitCode> {
  const revoked: SessionHandle[] = []
  for await (const { handles } of removals) revoked.push(...handles)
  if (json) terminal.out(JSON.stringify({ revoked }))
  else terminal.out(`Revoked ${revoked.length} ${revoked.length === 1 ? 'session' : 'sessions'}.`)
  return revoked.length > 0 ? 0 : 1
}

/** User agents and user ids come from outside: their control characters must not reach the terminal (LOG-02). */
function printable(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g, '?')
}
