import { webSessions } from '../../../src/frameworks/web.ts'
import { createSessions } from '../../../src/index.ts'
import { parseHandle } from '../../../src/base/handle.ts'
import { wrapStore } from '../../../src/session/wrap-store.ts'
import type { SessionStore } from '../../../src/session/store.ts'
import { createMemoryStore } from '../../../src/stores/memory.ts'

// An application in an isolate, over a store that answers later, as a database does: with a timer, which workerd ends
// with the request like every other input and output. Its clock, and what its store does, are set by requests.

/** What is measured, and what is set. */
interface World {
  /** Milliseconds that the clock is ahead. */
  ahead: number
  /** How long calls of these methods take; 1 ms by default. Negative: they fail after that time. */
  delays: Record<string, number>
  /** How often each method was called, and how often it has answered. */
  calls: Record<string, number>
  answers: Record<string, number>
}

const world: World = { ahead: 0, delays: {}, calls: {}, answers: {} }

const memory = createMemoryStore()
const store: SessionStore = wrapStore((name, call) => async (...input) => {
  world.calls[name] = (world.calls[name] ?? 0) + 1
  const delay = world.delays[name] ?? 1
  await new Promise(resolve => setTimeout(resolve, Math.abs(delay)))
  if (delay < 0) throw new Error('refused')
  const answer = await call(memory, ...input)
  world.answers[name] = (world.answers[name] ?? 0) + 1
  return answer
})

const clock = (): number => Date.now() + world.ahead
const heard: string[] = []
const bare = createSessions({
  origin: 'https://app.example.com',
  store,
  clock,
  events: {
    async onSessionCreated() {
      await new Promise(resolve => setTimeout(resolve, 30))
      heard.push('created')
    },
  },
})
const sessions = webSessions(bare)

const routes: Readonly<Record<string, (request: Request, given: Record<string, unknown>) => unknown>> = {
  '/login': async request => sessions.handler(async (_, headers) => {
    const session = await sessions.createNewSession(request, headers, 'alice')
    return Response.json({ handle: session.getHandle() }, { headers })
  })(request),
  '/me': sessions.requireSession(async (_, session) => Response.json({ userId: session.getUserId() })),
  '/strict': sessions.requireSession(async () => Response.json({}), { blacklisting: 'strict' }),
  /** Revokes as another isolate would: this one learns of it from the log. */
  '/revoke-elsewhere': async (_, { handle }) => {
    const parsed = parseHandle(String(handle))
    if (parsed !== null) await memory.remove([parsed], clock() + 600_000)
    return Response.json({})
  },
  '/set': (_, given) => {
    Object.assign(world, given)
    return Response.json({})
  },
  '/take': () => {
    const taken = { calls: world.calls, answers: world.answers, heard: heard.splice(0) }
    Object.assign(world, { calls: {}, answers: {} })
    return Response.json(taken)
  },
}

const worker: { fetch(request: Request): Promise<unknown> } = {
  async fetch(request) {
    const route = routes[new URL(request.url).pathname]
    const isGiven = request.headers.get('content-type') === 'application/json' && !request.headers.has('origin')
    return route?.(request, isGiven ? await request.json() : {}) ?? new Response(null, { status: 404 })
  },
}

export default worker
