import { parseHandle } from '../base/handle.ts'
import { parseJsonObject } from '../base/json.ts'
import type { EpochMilliseconds } from '../base/time.ts'
import { summarize } from '../session/manage.ts'
import type { Removal, SessionStore } from '../session/store.ts'
import { changeStart, notBeforeAt } from '../session/policy.ts'
import { UsageError } from './command.ts'
import type { Command, ExitCode, Terminal } from './command.ts'
import { describeFlags, describeSettings } from './settings.ts'
import type { OwnFlag } from './settings.ts'
import { commonFlags, dateOf, storeFlags, table, withStore } from './store.ts'

const own: Readonly<Record<string, OwnFlag>> = {
  user: { type: 'string', placeholder: 'ID', help: 'revoke: every session of this user' },
  after: { type: 'string', placeholder: 'POSITION', help: 'list: the next page' },
}

const PAGE = 100

/** `keyturn sessions`. */
export const sessions: Command = {
  summary: 'lists, shows and revokes sessions',
  help: `keyturn sessions list USER [--after POSITION]
keyturn sessions show HANDLE
keyturn sessions revoke HANDLE...
keyturn sessions revoke --user ID

list    shows a user's live sessions, newest first, ${PAGE} at a time.
show    shows one session with its payload and data. Exit code 1 if there is none.
revoke  ends sessions at once. Exit code 1 if none was there.

${describeFlags({ ...own, ...commonFlags })}
${describeSettings(storeFlags)}`,

  run: (args, terminal) => withStore(args, own, terminal, ({ flags, words, json }) => {
    const [verb, ...rest] = words
    const { user, after } = flags
    if (verb === 'list' && rest.length === 1) {
      const position = typeof after === 'string' ? after : null
      return (store, now) => list(store, now, rest[0] ?? '', position, json, terminal)
    }
    if (verb === 'show' && rest.length === 1) return (store, now) => show(store, now, rest[0] ?? '', json, terminal)
    if (verb === 'revoke' && rest.length > 0 && user === undefined) {
      const handles = rest.map(parseHandle).filter(handle => handle !== null)
      return (store, now) => tell(store.remove(handles, changeStart(now)), json, terminal)
    }
    if (verb === 'revoke' && rest.length === 0 && typeof user === 'string') {
      return (store, now) => tell(store.removeByUser({
        userId: user, tenantId: null, except: null, from: changeStart(now), notBefore: notBeforeAt(now),
      }), json, terminal)
    }
    throw new UsageError('sessions takes one of: list USER, show HANDLE, revoke HANDLE..., revoke --user ID')
  }),
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

async function tell(removal: Promise<Removal>, json: boolean, terminal: Terminal): Promise<ExitCode> {
  const { handles } = await removal
  if (json) terminal.out(JSON.stringify({ revoked: handles }))
  else terminal.out(`Revoked ${handles.length} ${handles.length === 1 ? 'session' : 'sessions'}.`)
  return handles.length > 0 ? 0 : 1
}

/** User agents and user ids come from outside: nothing of them may command the terminal (LOG-02). */
function printable(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g, '?')
}
