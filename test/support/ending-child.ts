/**
 * A process that logs a user in, verifies the session, and then has nothing left to do. Arguments: a kind of store, its
 * place, and whether to close the sessions: `closed`, twice at once, or `unclosed`. Prints `alice` if all went well.
 */
import { registerHooks } from 'node:module'
import { webSessions } from '../../src/frameworks/web.ts'
import { createSessions } from '../../src/index.ts'
import type { SessionStore } from '../../src/session/store.ts'
import { createMemoryStore } from '../../src/stores/memory.ts'
import { createMysqlStore } from '../../src/stores/mysql.ts'
import { createPostgresStore } from '../../src/stores/postgres.ts'
import { createRedisStore } from '../../src/stores/redis.ts'
import { openSqliteStore } from '../../src/stores/sqlite.ts'
import { createVerifier } from '../../src/verify.ts'

const [kind = '', place = '', ending = ''] = process.argv.slice(2)

/** A program in which only the package `redis` is installed. */
function hideIoredis(): void {
  registerHooks({
    resolve(specifier, context, next) {
      if (specifier !== 'ioredis') return next(specifier, context)
      throw Object.assign(new Error('not installed'), { code: 'ERR_MODULE_NOT_FOUND' })
    },
  })
}

const kinds: Readonly<Record<string, () => SessionStore>> = {
  memory: createMemoryStore,
  sqlite: () => openSqliteStore(place),
  postgres: () => createPostgresStore(place, { schema: 'ending', migrate: 'auto' }),
  mysql: () => createMysqlStore(place, { prefix: 'ending_', migrate: 'auto' }),
  ioredis: () => createRedisStore(place, { prefix: 'ending:' }),
  redis() {
    hideIoredis()
    return createRedisStore(place, { prefix: 'ending:' })
  },
}

const open = kinds[kind]
if (open === undefined) throw new Error(`${kind} is no kind of store`)
const origin = 'http://localhost'
const sessions = webSessions(createSessions({ origin, store: open() }))
sessions.sessionRoutes()
await sessions.ready()
const headers = new Headers()
await sessions.createNewSession(new Request(origin, { method: 'POST' }), headers, 'alice')
const cookie = headers.getSetCookie().map(line => line.split(';')[0]).join('; ')
const request = new Request(origin, { headers: { cookie } })
const session = await sessions.getSession(request, new Headers())
const verifier = createVerifier({
  issuer: `${origin}/auth`,
  jwks: await sessions.getJwks(),
  accessTokenName: 'sAccessToken',
})
const reading = await verifier.readSession(request)
if (ending === 'closed') await Promise.all([sessions.close(), sessions.close()])
console.log(reading.kind === 'active' ? session.getUserId() : reading.kind)
