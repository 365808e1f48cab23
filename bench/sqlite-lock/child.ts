import { setTimeout as pause } from 'node:timers/promises'
import { createSessions } from '../../src/create-sessions.ts'
import { nodeSessions } from '../../src/frameworks/node.ts'
import { openSqliteStore } from '../../src/stores/sqlite.ts'
import { createExchange } from '../support/request.ts'
import { claims } from '../verify/contender.ts'

// A server process on a SQLite file. A timer begins its requests, and each is measured from the time when it was due: if
// the event loop stops, all requests that were due meanwhile are late.

/** A request of the parent. */
export type Order = 'measure' | 'login' | 'refresh' | 'report'

/** An answer to it. Times are in milliseconds. */
export type Answer =
  | { readonly kind: 'measuring' }
  | { readonly kind: 'login' | 'refresh'; readonly error: string | null; readonly took: number }
  | { readonly kind: 'report'; readonly verifications: readonly number[]; readonly reads: readonly number[] }

const SESSIONS = 100
const SPACING = 1
const VERIFICATIONS_PER_READ = 5

const sessions = nodeSessions(createSessions({
  origin: 'https://app.example.com', store: openSqliteStore(process.argv[2] ?? ''),
}))
const send = (answer: Answer): unknown => process.send?.(answer)

interface Tokens {
  readonly access: string
  readonly refresh: string
  readonly handle: string
}

async function login(user: string): Promise<Tokens> {
  const { request, response } = createExchange({ 'st-auth-mode': 'header' })
  const session = await sessions.createNewSession(request, response, user, claims)
  const header = (name: string): string => String(response.getHeader(name))
  return { access: header('st-access-token'), refresh: header('st-refresh-token'), handle: session.getHandle() }
}

async function refresh(token: string): Promise<void> {
  const { request, response } = createExchange({ authorization: `Bearer ${token}`, 'st-auth-mode': 'header' })
  request.method = 'POST'
  await sessions.refreshSession(request, response)
}

async function verify(token: string): Promise<void> {
  const { request, response } = createExchange({ authorization: `Bearer ${token}` })
  await sessions.getSession(request, response)
}

const known: Tokens[] = []
for (let index = 0; index < SESSIONS; index++) known.push(await login(`user ${index}`))
let verifications: number[] = []
let reads: number[] = []

async function measured(into: number[], due: number, work: Promise<unknown>): Promise<void> {
  await work
  into.push(performance.now() - due)
}

let due = performance.now()
let count = 0
let refreshed = 0
setInterval(() => {
  for (; due <= performance.now(); due += SPACING) {
    const { access, handle } = known[count % SESSIONS] ?? { access: '', handle: '' }
    const isRead = count++ % VERIFICATIONS_PER_READ === 0
    if (isRead) void measured(reads, due, sessions.getSessionInfo(handle))
    else void measured(verifications, due, verify(access))
  }
}, SPACING)

async function timed(kind: 'login' | 'refresh', work: () => Promise<unknown>): Promise<void> {
  const start = performance.now()
  const error = await work().then(() => null, (thrown: unknown) => String(thrown))
  send({ kind, error, took: performance.now() - start })
}

process.on('message', async (order: Order) => {
  switch (order) {
    case 'measure':
      ;[verifications, reads] = [[], []]
      send({ kind: 'measuring' })
      return
    case 'login':
      await timed('login', () => login('late'))
      return
    case 'refresh':
      await timed('refresh', () => refresh(known[refreshed++]?.refresh ?? ''))
      return
    case 'report':
      send({ kind: 'report', verifications, reads })
  }
})
process.on('disconnect', () => process.exit())
await pause(500)
process.send?.({ kind: 'measuring' })
