import { env } from 'cloudflare:workers'
import { webSessions } from '../../../src/frameworks/web.ts'
import { createSessions } from '../../../src/index.ts'
import { createD1Store, migrateD1 } from '../../../src/stores/d1.ts'
import type { D1Database, D1Statement } from '../../../src/stores/d1.ts'

// An application on D1, created as the module loads. Requests set its clock and read what it has counted.

const world = { ahead: 0, trips: 0, running: 0, most: 0 }

async function trip<T>(work: () => Promise<T>): Promise<T> {
  world.trips += 1
  world.running += 1
  world.most = Math.max(world.most, world.running)
  try {
    return await work()
  } finally {
    world.running -= 1
  }
}

/** Counts the round trips to a database, and how many there were at a time. */
function counting(database: D1Database): D1Database {
  const originals = new WeakMap<D1Statement, D1Statement>()
  function wrap(inner: D1Statement): D1Statement {
    const outer: D1Statement = { bind: (...values) => wrap(inner.bind(...values)), all: () => trip(() => inner.all()) }
    originals.set(outer, inner)
    return outer
  }
  return {
    prepare: sql => wrap(database.prepare(sql)),
    batch: list => trip(() => database.batch(list.map(each => originals.get(each) ?? each))),
  }
}

const bare = createSessions({
  origin: 'https://app.example.com',
  store: createD1Store(counting(env.DB)),
  clock: () => Date.now() + world.ahead,
})
const sessions = webSessions(bare)

const routes: Readonly<Record<string, (request: Request) => Response | Promise<Response>>> = {
  '/migrate': async () => Response.json(await migrateD1(env.DB)),
  '/login': sessions.handler(async (request, headers) => {
    await sessions.createNewSession(request, headers, 'alice')
    return new Response('', { headers })
  }),
  '/me': sessions.requireSession(async () => Response.json({ at: Date.now() })),
  '/strict': sessions.requireSession(async () => Response.json({ at: Date.now() }), { blacklisting: 'strict' }),
  '/logout': sessions.requireSession(async (_, session) => {
    await session.revokeSession()
    return Response.json({ at: Date.now() })
  }),
  '/set': async request => {
    Object.assign(world, await request.json())
    return Response.json({})
  },
  '/take': () => {
    const { trips, most } = world
    Object.assign(world, { trips: 0, most: 0 })
    return Response.json({ trips, most })
  },
}

const worker: { fetch(request: Request): Response | Promise<Response> } = {
  fetch: request => routes[new URL(request.url).pathname]?.(request) ?? new Response(null, { status: 404 }),
}

export default worker
