import { createSessions } from '../../src/create-sessions.ts'
import { nodeSessions } from '../../src/frameworks/node.ts'
import { wrapStore } from '../../src/session/wrap-store.ts'
import { createPostgresStore } from '../../src/stores/postgres.ts'
import { createRedisStore } from '../../src/stores/redis.ts'
import { createExchange } from '../support/request.ts'
import { claims } from '../verify/contender.ts'

// One of several server processes on one store. It verifies a thousand requests a second, and reports when it first
// refuses a token that the parent asked it to watch.

/** A request of the parent. */
export type Order =
  | { readonly kind: 'login'; readonly count: number }
  | { readonly kind: 'serve'; readonly tokens: readonly string[] }
  | { readonly kind: 'watch'; readonly id: number; readonly token: string }
  | { readonly kind: 'revoke'; readonly id: number; readonly handle: string }
  | { readonly kind: 'calls' }

/** A reply of the process. Times are in milliseconds since 1970, with fractions. */
export type Answer =
  | { readonly kind: 'logins'; readonly sessions: readonly { readonly token: string; readonly handle: string }[] }
  | { readonly kind: 'watching'; readonly id: number }
  | { readonly kind: 'revoking'; readonly id: number; readonly at: number }
  | { readonly kind: 'refused'; readonly id: number; readonly at: number }
  | { readonly kind: 'calls'; readonly calls: Readonly<Record<string, number>>; readonly served: number }

const TICK = 10
const PER_TICK = 10

const [url = '', push = 'push'] = process.argv.slice(2)
const inner = url.startsWith('postgres:')
  ? createPostgresStore(url, { migrate: 'auto' })
  : createRedisStore(url)
let calls: Record<string, number> = {}
let served = 0
const counted = wrapStore((name, call) => (...input) => {
  calls[name] = (calls[name] ?? 0) + 1
  return call(inner, ...input)
})
const store = push === 'push' ? counted : { ...counted, follow: () => Promise.resolve(async () => {}) }
const sessions = nodeSessions(createSessions({ origin: 'https://app.example.com', store }))
const watched = new Map<number, string>()
let tokens: readonly string[] = []

const send = (answer: Answer): unknown => process.send?.(answer)
const now = (): number => performance.timeOrigin + performance.now()

async function isAccepted(token: string): Promise<boolean> {
  const { request, response } = createExchange({ authorization: `Bearer ${token}` })
  try {
    await sessions.getSession(request, response)
    return true
  } catch {
    return false
  }
}

async function login(count: number): Promise<{ readonly token: string; readonly handle: string }[]> {
  const made = []
  for (let index = 0; index < count; index++) {
    const { request, response } = createExchange({ 'st-auth-mode': 'header' })
    const session = await sessions.createNewSession(request, response, `user ${index}`, claims)
    made.push({ token: String(response.getHeader('st-access-token')), handle: session.getHandle() })
  }
  return made
}

setInterval(async () => {
  for (let index = 0; index < PER_TICK && tokens.length > 0; index++) {
    if (!await isAccepted(tokens[served++ % tokens.length] ?? '')) throw new Error('a live session was refused')
  }
}, TICK)

setInterval(async () => {
  for (const [id, token] of watched) {
    if (await isAccepted(token)) continue
    watched.delete(id)
    send({ kind: 'refused', id, at: now() })
  }
}, 1)

process.on('message', async (order: Order) => {
  switch (order.kind) {
    case 'login':
      send({ kind: 'logins', sessions: await login(order.count) })
      return
    case 'serve':
      tokens = order.tokens
      return
    case 'watch':
      if (!await isAccepted(order.token)) throw new Error('a live session was refused')
      watched.set(order.id, order.token)
      send({ kind: 'watching', id: order.id })
      return
    case 'revoke':
      send({ kind: 'revoking', id: order.id, at: now() })
      await sessions.revokeSession(order.handle)
      return
    case 'calls':
      send({ kind: 'calls', calls, served })
      ;[calls, served] = [{}, 0]
  }
})
process.on('disconnect', () => process.exit())
