import { readFileSync } from 'node:fs'
import { platform } from '#platform'
import { parseHandle } from '../base/handle.ts'
import type { SessionHandle } from '../base/handle.ts'
import { parseJsonObject } from '../base/json.ts'
import type { EpochMilliseconds } from '../base/time.ts'
import { removeEverySession, summarize } from '../session/manage.ts'
import { changeStart, notBeforeAt } from '../session/policy.ts'
import { requireCdiUserId } from '../session/identifiers.ts'
import type { SessionStore } from '../session/store.ts'
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
  'found-in': {
    type: 'string', placeholder: 'FILE',
    help: 'revoke: every session whose handle or token occurs in this text, a log, say; - is standard input',
  },
  all: { type: 'boolean', help: 'revoke: every session of everybody' },
  yes: { type: 'boolean', help: 'revoke --all: do it' },
  after: { type: 'string', placeholder: 'POSITION', help: 'list: the next page' },
}

const PAGE = 100

/** `keyturn sessions`. */
export const sessions: Command = {
  summary: 'lists, shows and revokes sessions',
  help: `keyturn sessions list USER [URL] [--after POSITION]
keyturn sessions show HANDLE [URL]
keyturn sessions revoke HANDLE... [URL]
keyturn sessions revoke --user ID [URL]
keyturn sessions revoke --found-in FILE [URL]
keyturn sessions revoke --all --yes [URL]

list    shows a user's live sessions, newest first, ${PAGE} at a time.
show    shows one session with its payload and data. Exit code 1 if there is none.
revoke  ends sessions at once. Exit code 1 if none was there. With --all, replaces every key that rotates: no session
        that exists is accepted any more, and everybody logs in again. This needs the secret if there is one.

${describeStoreFlags(own)}
A user id that begins like the URL of a store comes last, behind --.`,

  run: (args, terminal) => withStore(args, own, terminal, ({ settings, flags, words, json }) => {
    const [verb, ...rest] = words
    if (verb === 'list' && rest.length === 1) {
      const after = typeof flags['after'] === 'string' ? flags['after'] : null
      const userId = requireCdiUserId(rest[0])
      return (store, now) => list(store, now, userId, after, json, terminal)
    }
    if (verb === 'show' && rest.length === 1) return (store, now) => show(store, now, rest[0] ?? '', json, terminal)
    const revoke = verb === 'revoke' ? chooseRevocation(rest, flags, settings.secrets, json, terminal) : null
    if (revoke !== null) return revoke
    throw new UsageError('sessions takes one of: list USER, show HANDLE, revoke HANDLE..., revoke --user ID, '
      + `revoke --found-in FILE, revoke --all --yes; and the store, ${acceptedUrls}`)
  }),
}

/** What `revoke` is to do, or null unless exactly one thing is named. */
function chooseRevocation(
  words: readonly string[],
  { user, 'found-in': file, all, yes }: StoreCall['flags'],
  secrets: readonly string[],
  json: boolean,
  terminal: Terminal,
): StoreWork<ExitCode> | null {
  if ([words.length > 0, user, file, all].filter(Boolean).length !== 1) return null
  if (all === true) {
    if (yes !== true) throw new UsageError('revoke --all logs everybody out, for good: add --yes to do it')
    return (store, now) => revokeAll(store, now, secrets, json, terminal)
  }
  if (typeof user === 'string') {
    const userId = requireCdiUserId(user)
    return (store, now) => tell(store.removeByUser({
      userId, tenantId: null, except: null, from: changeStart(now), notBefore: notBeforeAt(now),
    }).then(({ handles }) => handles), json, terminal)
  }
  const handles = typeof file === 'string'
    ? findHandles(readFileSync(file === '-' ? 0 : file, 'utf8'))
    : words.map(parseHandle).filter(handle => handle !== null)
  return (store, now) => tell(removeInBatches(store, handles, changeStart(now)), json, terminal)
}

async function list(
  store: SessionStore,
  now: EpochMilliseconds,
  userId: string,
  after: string | null,
  json: boolean,
  terminal: Terminal,
): Promise<ExitCode> {
  const page = await store.listByUser(userId, { limit: PAGE, after })
  const live = page.sessions.filter(({ expiresAt }) => expiresAt > now).map(summarize)
  if (json) {
    terminal.out(JSON.stringify({ sessions: live, next: page.next }))
    return 0
  }
  if (live.length === 0) terminal.out('This user has no live session.')
  else terminal.out(table(
    ['SESSION', 'TENANT', 'CREATED', 'EXPIRES', 'CLIENT'],
    live.map(session => [
      session.handle, session.tenantId, dateOf(session.createdAt), dateOf(session.expiresAt),
      [session.ip, session.userAgent].filter(text => text !== null).map(printable).join(' '),
    ]),
  ))
  if (page.next !== null) terminal.out(`More: --after ${page.next}`)
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
    else terminal.error('there is no such session')
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

/** Replaces every key, so that no token that exists is accepted any more (REV-03). */
async function revokeAll(
  store: SessionStore,
  now: EpochMilliseconds,
  secrets: readonly string[],
  json: boolean,
  terminal: Terminal,
): Promise<ExitCode> {
  if ((await store.listKeys()).length === 0) {
    terminal.error('there are no keys, and so no sessions: is this the right store?')
    return 1
  }
  const changer = { store, loader: await createKeyLoader(platform.crypto, secrets), clock: () => now }
  const made = await replaceKeys(changer, now + LONGEST_RETENTION)
  await readKeys(changer)
  await removeEverySession(store, now)
  if (json) terminal.out(JSON.stringify({ keys: made.map(({ kid, purpose }) => ({ kid, purpose })) }))
  else terminal.out(`Replaced all keys (${made.length} new ones): every session has ended, everybody logs in again.`)
  if (secrets.length === 0) terminal.error('the new keys are not encrypted: whoever reads the store can use them')
  return 0
}

/** The handles in a text: alone, in refresh tokens, or in the claims of access tokens. Not all need exist. */
function findHandles(text: string): readonly SessionHandle[] {
  const claims = [...text.matchAll(/(?<![\w-])eyJ[\w-]+\.(eyJ[\w-]+)/g)]
    .map(([, segment = '']) => Buffer.from(segment, 'base64url').toString())
  const words = [text, ...claims].flatMap(each => each.match(/(?<![\w-])[ch][\w-]{22}(?![\w-])/g) ?? [])
  return [...new Set(words)].map(parseHandle).filter(handle => handle !== null)
}

async function removeInBatches(
  store: SessionStore,
  handles: readonly SessionHandle[],
  from: EpochMilliseconds,
): Promise<readonly SessionHandle[]> {
  const removed: SessionHandle[] = []
  for (let start = 0; start < handles.length; start += PAGE) {
    removed.push(...(await store.remove(handles.slice(start, start + PAGE), from)).handles)
  }
  return removed
}

async function tell(revoked: Promise<readonly SessionHandle[]>, json: boolean, terminal: Terminal): Promise<ExitCode> {
  const handles = await revoked
  if (json) terminal.out(JSON.stringify({ revoked: handles }))
  else terminal.out(`Revoked ${handles.length} ${handles.length === 1 ? 'session' : 'sessions'}.`)
  return handles.length > 0 ? 0 : 1
}

/** User agents and user ids come from outside: nothing of them may command the terminal (LOG-02). */
function printable(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g, '?')
}
