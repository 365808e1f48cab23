import { setTimeout as pause } from 'node:timers/promises'
import type { SessionStore } from '../../../src/session/store.ts'
import { createMemoryStore } from '../../../src/stores/memory.ts'
import { createApplication } from '../sessions.ts'
import { below, percentile, shown } from '../statistics.ts'
import type { Promised } from '../statistics.ts'

const RATE = 2000
const SECONDS = 8
const TOKENS = 500
const STALENESS = 0.5
const TICK = 5

/** Verifies tokens while the store answers nothing and the feed is stale (P-04). */
export async function measureSilentStore(): Promise<readonly Promised[]> {
  const rows: Promised[] = []
  for (const policy of ['failOpen', 'failClosed'] as const) rows.push(...await outage(policy))
  return rows
}

/** A store that stops to answer. */
function createSilentStore(): { readonly store: SessionStore; finds: number; silence(): void } {
  const inner = createMemoryStore()
  const never = new Promise<never>(() => {})
  let isSilent = false
  const silent = {
    finds: 0,
    silence() {
      isSilent = true
    },
    store: {
      ...inner,
      find(handle) {
        silent.finds++
        return isSilent ? never : inner.find(handle)
      },
      changesSince: (cursor, limit) => isSilent ? never : inner.changesSince(cursor, limit),
    } satisfies SessionStore,
  }
  return silent
}

async function outage(onStoreFailure: 'failOpen' | 'failClosed'): Promise<readonly Promised[]> {
  const silent = createSilentStore()
  const application = createApplication(silent.store, { onStoreFailure, maxStaleness: STALENESS, pollInterval: 0.1 })
  const tokens: string[] = []
  for (let count = 0; count < TOKENS; count++) tokens.push(await application.login(`user ${count}`))
  for (const token of tokens) await application.verify(token)
  await pause(200)
  silent.silence()
  await pause(STALENESS * 1000 + 50)

  const start = performance.now()
  const answers: { readonly at: number; took: number | null; accepted: boolean }[] = []
  function verify(token: string): void {
    const answer = { at: performance.now(), took: null as number | null, accepted: false }
    answers.push(answer)
    application.verify(token).then(() => {
      answer.accepted = true
    }, () => undefined).finally(() => {
      answer.took = performance.now() - answer.at
    })
  }
  for (let sent = 0; sent < RATE * SECONDS;) {
    const due = Math.min(RATE * SECONDS, (performance.now() - start) / 1000 * RATE)
    for (; sent < due; sent++) verify(tokens[sent % TOKENS] ?? '')
    await pause(TICK)
  }
  await pause(500)
  const end = performance.now()
  // What has no answer yet has waited for as long as this.
  const late = answers.filter(({ at }) => at >= start + 1000).map(({ at, took }) => took ?? end - at)
  const name = `${onStoreFailure}, ${RATE.toLocaleString('en')} verifications/s of ${TOKENS} tokens`
  return [
    below(`${name}: p99 from the second second on`, 50, percentile(late, 0.99), 'ms'),
    shown('... p99 of the first second', percentile(
      answers.filter(({ at }) => at < start + 1000).map(({ at, took }) => took ?? end - at), 0.99), 'ms'),
    shown('... sessions read from the store', silent.finds, ''),
    shown('... accepted', answers.filter(({ accepted }) => accepted).length / answers.length * 100, '%'),
    shown('... without an answer at the end', answers.filter(({ took }) => took === null).length, ''),
  ]
}
