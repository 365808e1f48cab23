import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { SessionStore } from '../../src/session/store.ts'
import type { SessionRecord } from '../../src/session/record.ts'
import { createExchange } from '../support/request.ts'

// Logins of one revision on one store, in a process of its own. Each message says how long to work, so that rounds can
// alternate.

/** What to measure, for how long, and how many calls are in flight. */
export interface Task {
  readonly operation: 'insert' | 'login'
  readonly milliseconds: number
  readonly lanes: number
}

const [folder = '', side = '', kind = '', url = ''] = process.argv.slice(2)
const PRELOADED = 10_000

async function load(path: string): Promise<object> {
  return import(pathToFileURL(join(folder, 'dist', path)).href)
}

function call<Result>(module: object, name: string, ...values: readonly unknown[]): Result {
  return Reflect.apply(Reflect.get(module, name), null, values)
}

async function openStore(): Promise<SessionStore> {
  switch (kind) {
    case 'sqlite':
      return call(await load('stores/sqlite.js'), 'openSqliteStore', join(url, `${side}.db`))
    case 'postgres':
      return call(await load('stores/postgres.js'), 'createPostgresStore', url, { prefix: `${side}_`, migrate: 'auto' })
    case 'mysql':
      return call(await load('stores/mysql.js'), 'createMysqlStore', url, { prefix: `${side}_`, migrate: 'auto' })
    case 'redis':
      return call(await load('stores/redis.js'), 'createRedisStore', url, { prefix: `${side}:` })
    default:
      return call(await load('stores/memory.js'), 'createMemoryStore')
  }
}

interface Sessions {
  createNewSession(request: IncomingMessage, response: ServerResponse, userId: string, payload: object): Promise<unknown>
}

const store = await openStore()
const sampleRecord = Reflect.get(await load('testing/contracts.js'), 'sampleRecord')
const sessions: Sessions = call(await load('frameworks/node.js'), 'nodeSessions', call(await load('index.js'), 'createSessions', {
  origin: 'https://app.example.com', store,
}))
let users = 0

function recordOf(): SessionRecord {
  const now = Date.now()
  return Reflect.apply(sampleRecord, null, [{
    handle: `c${randomBytes(16).toString('base64url').slice(0, 21)}A`, userId: `user-${users++ >> 2}`, createdAt: now,
    authenticatedAt: now, rotatedAt: now, servedAt: now, idleTimeout: 8_640_000_000, expiresAt: now + 8_640_000_000,
  }])
}

const operations: Readonly<Record<Task['operation'], () => Promise<unknown>>> = {
  insert: () => store.insert(recordOf()),
  login: () => {
    const { request, response } = createExchange({})
    return sessions.createNewSession(request, response, `user-${users++ >> 2}`, { role: 'admin' })
  },
}

/** Microseconds per call. */
async function work({ operation, milliseconds, lanes }: Task): Promise<number> {
  const start = performance.now()
  let calls = 0
  await Promise.all(Array.from({ length: lanes }, async () => {
    for (; performance.now() - start < milliseconds; calls++) await operations[operation]()
  }))
  return (performance.now() - start) * 1000 / calls
}

for (let count = 0; count < PRELOADED; count += 100) {
  await Promise.all(Array.from({ length: 100 }, () => store.insert(recordOf())))
}
await work({ operation: 'login', milliseconds: 500, lanes: 1 })
process.on('message', (task: Task) => void work(task).then(result => process.send?.(result)))
process.send?.('ready')
