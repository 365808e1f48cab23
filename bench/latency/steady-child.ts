import { createSessions } from '../../src/create-sessions.ts'
import { nodeSessions } from '../../src/frameworks/node.ts'
import { wrapStore } from '../../src/session/wrap-store.ts'
import { nodeCrypto } from '../../src/platform/node-crypto.ts'
import { createPostgresStore } from '../../src/stores/postgres.ts'
import { createExchange } from '../support/request.ts'
import { claims } from '../verify/contender.ts'

// One of several processes that work steadily on one store: each verifies the tokens of all, and refreshes its own
// sessions. It counts the calls of the store, by method.

/** A message of the parent. */
export type SteadyOrder =
  | { readonly kind: 'token'; readonly session: string; readonly token: string }
  | { readonly kind: 'count' }

/** A message of the process. The counts are those since the last ones. */
export type SteadyAnswer =
  | { readonly kind: 'token'; readonly session: string; readonly token: string }
  | {
    readonly kind: 'count'
    readonly calls: Readonly<Record<string, number>>
    readonly confirmed: number
    readonly unseen: number
    readonly verified: number
  }

const SESSIONS = 50
const REFRESH_EVERY = 200
const TICK = 10
const PER_TICK = 2

const [url = ''] = process.argv.slice(2)
const inner = createPostgresStore(url, { migrate: 'auto' })
let calls: Record<string, number> = {}
let confirmed = 0
let unseen = 0
let verified = 0
const counted = wrapStore((name, call) => (...input) => {
  calls[name] = (calls[name] ?? 0) + 1
  return call(inner, ...input)
})
const sessions = nodeSessions(createSessions({
  origin: 'https://app.example.com',
  store: {
    ...counted,
    confirm(confirmations) {
      confirmed += confirmations.length
      return counted.confirm(confirmations)
    },
  },
  crypto: {
    ...nodeCrypto,
    async verifier(algorithm, key) {
      const verify = await nodeCrypto.verifier(algorithm, key)
      return (input, signature) => {
        unseen++
        return verify(input, signature)
      }
    },
  },
  // A token confirms its refresh token after two seconds instead of a minute.
  reuseInterval: 1,
}))

/** The newest access tokens of the fleet, by session. */
const tokens = new Map<string, string>()
const own: { readonly session: string; refreshToken: string }[] = []
let inTurn: string[] = []
let next = 0

const send = (answer: SteadyAnswer): unknown => process.send?.(answer)

function publish(session: string, token: string): void {
  tokens.set(session, token)
  send({ kind: 'token', session, token })
}

for (let index = 0; index < SESSIONS; index++) {
  const { request, response } = createExchange({ 'st-auth-mode': 'header' })
  const session = await sessions.createNewSession(request, response, `user ${index}`, claims)
  own.push({ session: session.getHandle(), refreshToken: String(response.getHeader('st-refresh-token')) })
  publish(session.getHandle(), String(response.getHeader('st-access-token')))
}

setInterval(async () => {
  for (let count = 0; count < PER_TICK; count++) {
    if (next >= inTurn.length) [inTurn, next] = [[...tokens.keys()], 0]
    const token = tokens.get(inTurn[next++] ?? '')
    if (token === undefined) return
    const { request, response } = createExchange({ authorization: `Bearer ${token}` })
    await sessions.getSession(request, response)
    verified++
  }
}, TICK)

let refreshed = 0
setInterval(async () => {
  const each = own[refreshed++ % own.length]
  if (each === undefined) return
  const headers = { 'authorization': `Bearer ${each.refreshToken}`, 'st-auth-mode': 'header' }
  const { request, response } = createExchange(headers)
  request.method = 'POST'
  await sessions.refreshSession(request, response)
  each.refreshToken = String(response.getHeader('st-refresh-token'))
  publish(each.session, String(response.getHeader('st-access-token')))
}, REFRESH_EVERY)

process.on('message', (order: SteadyOrder) => {
  if (order.kind === 'token') {
    tokens.set(order.session, order.token)
    return
  }
  send({ kind: 'count', calls, confirmed, unseen, verified })
  ;[calls, confirmed, unseen, verified] = [{}, 0, 0, 0]
})
process.on('disconnect', () => process.exit())
