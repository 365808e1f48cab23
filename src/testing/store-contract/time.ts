import type { EpochMilliseconds, Milliseconds } from '../../base/time.ts'
import { OFFSET_LIMIT, OFFSET_THRESHOLD } from '../../session/decide-offset.ts'
import type { SessionStore } from '../../session/store.ts'
import { ensure, ensureEqual } from '../assert.ts'
import type { ContractCase } from './contract-case.ts'

/** What the store's clock and this machine's may drift apart by, and be rounded by, while a case runs. */
const SLACK: Milliseconds = 20

/** The store's clock. A store that has none answers null, to every case alike. */
export const timeCases: readonly ContractCase[] = [
  {
    name: 'time: whole milliseconds since 1970, whatever the time zone; or null',
    async run({ open }) {
      const store = await open()
      const told = await store.time()
      if (told === null) return
      ensure(Number.isSafeInteger(told), `a whole number: ${told}`)
      ensure(Math.abs(told - Date.now()) < OFFSET_LIMIT, 'within half an hour of this machine\'s clock')
    },
  },
  {
    name: 'time: goes on as fast as this machine\'s, and never back; or is null every time',
    async run({ open }) {
      const store = await open()
      const first = await read(store)
      let last = first
      for (let count = 0; count < 10; count++) {
        await new Promise(resolve => setTimeout(resolve, 10))
        const next = await read(store)
        if (last.told === null || next.told === null || first.told === null) {
          ensureEqual([first.told, next.told], [null, null], 'null once, null for ever')
          continue
        }
        ensure(next.told >= last.told, 'later is not earlier')
        const passed = next.told - first.told
        ensure(passed >= next.asked - first.answered - SLACK, 'it goes on')
        ensure(passed <= next.answered - first.asked + SLACK, 'it does not hurry')
        last = next
      }
    },
  },
  {
    name: 'time: one clock, whichever connection asks',
    async run({ open }) {
      const first = await read(await open())
      const second = await read(await open())
      ensureEqual(first.told === null, second.told === null, 'all know it or none does')
      if (first.told === null || second.told === null) return
      const apart = Math.abs(second.told - first.told)
      ensure(apart <= second.answered - first.asked + OFFSET_THRESHOLD, 'no other time over another connection')
    },
  },
]

interface Reading {
  readonly asked: EpochMilliseconds
  readonly told: EpochMilliseconds | null
  readonly answered: EpochMilliseconds
}

async function read(store: SessionStore): Promise<Reading> {
  const asked = Date.now()
  const told = await store.time()
  return { asked, told, answered: Date.now() }
}
