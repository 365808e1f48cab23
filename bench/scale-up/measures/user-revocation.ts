import { setTimeout as pause } from 'node:timers/promises'
import { startBackend } from '../backends.ts'
import type { Backend } from '../backends.ts'
import { startChild } from '../child-process.ts'
import { storeKinds } from '../open-store.ts'
import { startProbe } from '../probe.ts'
import type { ProbeTimes } from '../probe.ts'
import { activeBatch } from '../rows.ts'
import type { Batch } from '../rows.ts'
import { createApplication } from '../sessions.ts'
import { below, exactly, failed, percentile, shown, timed } from '../statistics.ts'
import type { Promised } from '../statistics.ts'
import type { SessionStore } from '../../../src/session/store.ts'

const SESSIONS = 100_000
/** All of one user. */
const crowd: Batch = { from: 50_000_000, count: SESSIONS, perUser: 1_000_000_000, users: 'crowd-', state: 'active' }
const user = 'crowd-0'

/** Revokes all sessions of a user who has many, while another client uses the store (P-06, P-07). */
export async function measureUserRevocation(): Promise<readonly Promised[]> {
  const rows: Promised[] = []
  for (const kind of storeKinds) {
    const backend = await startBackend(kind)
    const store = await backend.open('crowd')
    try {
      await backend.load('crowd', activeBatch(10_000))
      await backend.load('crowd', crowd)
      await backend.settle()
      rows.push(...await revokeCrowd(backend, store))
    } catch (error) {
      rows.push(failed(`${backend.name}: the sessions of a user are revoked`, 'succeeds', error))
    } finally {
      await store.close()
      await backend.stop()
    }
  }
  return rows
}

/** A client beside this one, in another process where the store can be shared. */
interface Neighbour {
  take(): Promise<ProbeTimes>
  stop(): Promise<void>
}

async function startNeighbour({ kind, place }: Backend, store: SessionStore): Promise<Neighbour> {
  if (kind === 'memory') {
    const probe = startProbe(store)
    return {
      async take() {
        // The call that waits for the event loop ends first.
        await pause(5)
        return probe.take()
      },
      stop: probe.stop,
    }
  }
  const child = startChild<object, ProbeTimes>('prober', [kind, place, 'crowd'])
  await child.next()
  return {
    take() {
      const answer = child.next()
      child.send({})
      return answer
    },
    async stop() {
      child.stop()
    },
  }
}

async function revokeCrowd(backend: Backend, store: SessionStore): Promise<readonly Promised[]> {
  const application = createApplication(store)
  const neighbour = await startNeighbour(backend, store)
  try {
    await pause(500)
    await neighbour.take()
    await pause(1500)
    const alone = await neighbour.take()
    const milliseconds = await timed(() => application.revokeAllSessionsForUser(user))
    const during = await neighbour.take()
    const { sessions } = await store.listByUser(user, { limit: 1, after: null })
    return [
      exactly(`${backend.name}: sessions left of ${SESSIONS.toLocaleString('en')} of one user`, 0, sessions.length, ''),
      below('... find of another client meanwhile, p99', 100, percentile(during.find, 0.99), 'ms'),
      below('... rotate of another client meanwhile, p99', 100, percentile(during.rotate, 0.99), 'ms'),
      exactly(`... calls of the other client that failed${firstOf(during.errors)}`, 0, during.errors.length, ''),
      shown('... find and rotate before, p99', percentile([...alone.find, ...alone.rotate], 0.99), 'ms'),
      shown('... time of the whole', milliseconds / 1000, 's'),
    ]
  } finally {
    await neighbour.stop()
  }
}

const firstOf = (errors: readonly string[]): string => errors.length === 0 ? '' : ` (${errors[0]})`
