import { describe } from 'vitest'
import { removeAllExpired } from '../../src/session/removals.ts'
import type { SessionStore } from '../../src/session/store.ts'
import { lawsOfRotation } from '../session/laws/laws.ts'
import { realStores } from '../support/real-stores.ts'

// Every call of these stores is a round trip, so the simulated lives are few and short.
const extent = process.env['CI'] === 'true'
  ? { lives: 20, span: { steps: 90, days: 0 }, races: 20 }
  : { lives: 3, span: { steps: 30, days: 0 }, races: 3 }

const MUCH_LATER = 4_000_000_000_000

/** Removes what the previous life has left, through the port: that takes a tenth of the time of new tables. */
async function empty(store: SessionStore): Promise<SessionStore> {
  for (const { kid } of await store.listKeys()) await store.removeKey(kid, 0)
  for await (const _ of removeAllExpired(store, () => MUCH_LATER, 1000));
  return store
}

for (const { name, available, connect } of realStores) describe.skipIf(!available)(name, () => {
  lawsOfRotation(name, async () => {
    const open = await connect()
    return () => empty(open('laws'))
  }, extent)
})
