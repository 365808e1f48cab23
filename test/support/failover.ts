import { expect } from 'vitest'
import type { SessionStore } from '../../src/session/store.ts'
import { Fleet } from './client-fleet.ts'
import { HOUR } from './test-core.ts'
import type { TestCore } from './test-core.ts'

/** How a server fails, and another takes over. */
export interface Failure {
  /** Ends the server, and resolves when another one takes writes. */
  fail(): Promise<void>
  /** A store that reads what every process reads after the failure. */
  readonly after: () => SessionStore
}

/**
 * Logs clients in, refreshes and revokes their sessions, while a server fails. Nobody may be logged out or taken for a
 * thief, no revoked session may live on, and every reader of the change log must learn of every revocation.
 */
export async function surviveFailure({ core, clock, store }: TestCore, { fail, after }: Failure): Promise<void> {
  const fleet = new Fleet(core)
  await fleet.logIn(80)
  clock.advance(HOUR)
  await fleet.refreshAll()
  const { cursor } = await store.changesSince(null, 100)
  clock.advance(HOUR)

  const traffic = (): Promise<unknown> => Promise.all([fleet.revoke(10), fleet.refreshAll(), fleet.logIn(10)])
  await traffic()
  clock.advance(HOUR)
  const broken = traffic()
  await fleet.during(fail())
  await broken

  clock.advance(HOUR)
  await fleet.refreshAll()
  const answers = fleet.takeAnswers()
  expect([answers.unauthorized, answers.theft], 'no honest client is refused').toEqual([undefined, undefined])
  await fleet.refreshAll(fleet.revoked)
  expect(fleet.takeAnswers(), 'no revoked session lives').toEqual({ unauthorized: 20 })
  const told = (await after().changesSince(cursor, 1000)).changes
    .flatMap(change => change.kind === 'revoked' ? change.handles : [])
  const unheard = fleet.revoked.filter(({ handle }) => told.every(each => each !== handle))
  expect(unheard, 'every reader learns of every revocation').toEqual([])
}
