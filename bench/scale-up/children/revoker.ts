import { openStore } from '../open-store.ts'
import { handleOf } from '../rows.ts'
import { createApplication } from '../sessions.ts'

// A process that revokes its share of the sessions one by one, with some calls in flight, for a few seconds.

/** The answer: how many sessions were revoked within how many seconds. */
export interface Revoked {
  readonly count: number
  readonly seconds: number
}

const IN_FLIGHT = 64
const LIMIT_MS = 5000

const [place = '', data = '', first = '', count = ''] = process.argv.slice(2)
const [from, end] = [Number(first), Number(first) + Number(count)]
const application = createApplication(openStore('postgres', place, data))
let next = from

async function revokeUntil(stop: () => boolean): Promise<void> {
  await Promise.all(Array.from({ length: IN_FLIGHT }, async () => {
    while (next < end && !stop()) {
      if (!await application.revokeSession(handleOf(next++))) throw new Error('there was no session to revoke')
    }
  }))
}

// Opens the connections.
await revokeUntil(() => next >= from + 200)
process.on('message', async () => {
  const [start, before] = [performance.now(), next]
  await revokeUntil(() => performance.now() - start >= LIMIT_MS)
  process.send?.({ count: next - before, seconds: (performance.now() - start) / 1000 } satisfies Revoked)
})
process.on('disconnect', () => process.exit())
process.send?.('ready')
