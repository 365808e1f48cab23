import { AsyncLocalStorage } from 'node:async_hooks'
import { webSessions } from '../../src/frameworks/web.ts'
import { createSessions } from '../../src/index.ts'
import type { SessionStore } from '../../src/session/store.ts'
import { wrapStore } from '../../src/session/wrap-store.ts'

/** In which context an application's sessions called their store, and what they have kept. */
export interface Observation {
  /** The requests in whose context polls and other background work called the store. None should. */
  readonly polls: readonly string[]
  /** How often they called it. */
  readonly pollCount: number
  /** The requests in whose context the store woke the feed, and listeners were called. None should. */
  readonly wakes: readonly string[]
  /** The requests in whose context logins called the store. Each should be its own. */
  readonly logins: readonly string[]
  /** Whether the objects that belonged to the context of the first requests could be collected. */
  readonly isCollected: boolean
}

/** What a request keeps in its asynchronous context. */
interface Context {
  readonly request: string
  readonly big: Uint8Array
}

const background: ReadonlySet<string> = new Set([
  'changesSince', 'follow', 'time', 'listKeys', 'addKeyIfNewest', 'confirm', 'acquireLease', 'removeExpired',
])

/**
 * Serves the first requests of a process, each in a context of its own, until its polls have read the store 20 times.
 * All that the process sets up for good is set up by the first of them. `collect` runs a garbage collection.
 */
export async function observeContexts(inner: SessionStore, collect: () => unknown): Promise<Observation> {
  const contexts = new AsyncLocalStorage<Context>()
  const polls: string[] = []
  const wakes: string[] = []
  const logins: string[] = []
  let pollCount = 0
  const current = (): string[] => [contexts.getStore()?.request ?? []].flat()
  const store: SessionStore = {
    ...wrapStore((name, call) => async (...input) => {
      if (name === 'insert') logins.push(...current())
      if (background.has(name)) {
        polls.push(...current())
        pollCount += 1
      }
      return call(inner, ...input)
    }),
    follow: wake => {
      polls.push(...current())
      return inner.follow(() => {
        wakes.push(...current())
        wake()
      })
    },
  }
  const sessions = webSessions(createSessions({ origin: 'http://localhost', store, pollInterval: '10ms' }))
  sessions.sessionRoutes()
  // Node 22 loads its web classes at their first use, and keeps a promise of that moment.
  void new Request('http://localhost/').headers
  const refs: WeakRef<Context>[] = []

  function request(name: string, work: (context: Context) => Promise<void>): Promise<void> {
    const context: Context = { request: name, big: new Uint8Array(1_000_000) }
    refs.push(new WeakRef(context))
    return contexts.run(context, () => work(context))
  }

  async function serve(): Promise<void> {
    const cookies: string[] = []
    await request('first login', async () => {
      const headers = new Headers()
      await sessions.createNewSession(new Request('http://localhost/', { method: 'POST' }), headers, 'alice')
      cookies.push(headers.getSetCookie().map(line => line.split(';')[0]).join('; '))
    })
    let heard = 0
    await request('first verification', async () => {
      const session = await sessions.getSession(
        new Request('http://localhost/', { headers: { cookie: cookies[0] ?? '' } }), new Headers())
      session.onRevoked(() => {
        wakes.push(...current())
        heard += 1
      })
    })
    await request('first revocation', async () => void await sessions.revokeAllSessionsForUser('alice'))
    const enough = pollCount + 20
    while (pollCount < enough || heard === 0) await new Promise(resolve => setTimeout(resolve, 1))
  }

  await serve()
  let isCollected = false
  for (let attempt = 0; attempt < 100 && !isCollected; attempt++) {
    await new Promise(resolve => setTimeout(resolve, 1))
    collect()
    isCollected = refs.every(ref => ref.deref() === undefined)
  }
  await sessions.close()
  return { polls, pollCount, wakes, logins, isCollected }
}
