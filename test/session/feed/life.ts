import * as fc from 'fast-check'
import type { PolicyOptions } from '../../../src/session/policy.ts'
import type { SessionStore } from '../../../src/session/store.ts'
import { FeedWorld, HOUR, MINUTE, SECOND } from './world.ts'
import type { CreateCore } from './world.ts'

/** An event in the life of the two processes. */
type Step =
  | { readonly kind: 'wait'; readonly milliseconds: number }
  | { readonly kind: 'clock'; readonly offset: number }
  | { readonly kind: 'login' | 'revokeUser' | 'removeKeys' | 'restart' }
  | { readonly kind: 'revoke' | 'changeRole'; readonly index: number }
  | { readonly kind: 'poll'; readonly times: number }
  | { readonly kind: 'store'; readonly down: boolean; readonly losesNotifications: boolean }

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({
    kind: fc.constant('wait'), milliseconds: fc.constantFrom(SECOND, 6 * SECOND, 10 * MINUTE, HOUR, 2 * HOUR),
  }) },
  // Back by less than entries are kept for longer than their tokens; ahead by any time.
  { weight: 3, arbitrary: fc.record({
    kind: fc.constant('clock'),
    offset: fc.constantFrom(-5 * MINUTE, -30 * SECOND, 0, 0, 0, 30 * SECOND, 3 * HOUR, 30 * HOUR),
  }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('login', 'login', 'revokeUser', 'restart') }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('removeKeys') }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constantFrom('revoke', 'changeRole'), index: fc.nat(5) }) },
  // It takes 128 reads to prune all parts.
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('poll'), times: fc.constantFrom(1, 1, 130) }) },
  { weight: 3, arbitrary: fc.record({
    kind: fc.constant('store'), down: fc.boolean(), losesNotifications: fc.boolean(),
  }) },
)

/** A sequence of events in the life of the two processes. */
export const life: fc.Arbitrary<readonly Step[]> = fc.array(step, { minLength: 3, maxLength: 25 })

/** Runs the events, and uses every token after each of them. Returns what went wrong, or null. */
export async function follow(
  create: CreateCore,
  steps: readonly Step[],
  options: PolicyOptions & { readonly storeHasClock?: boolean; readonly isIsolate?: boolean },
  store?: SessionStore,
): Promise<string | null> {
  const world = new FeedWorld(create, options, store)
  await world.login()
  for (const next of [...steps, { kind: 'wait', milliseconds: 0 } as const]) {
    await take(world, next)
    for (const session of world.sessions) {
      const wrong = await world.check(session)
      if (wrong !== null) return wrong
    }
  }
  await world.close()
  return null
}

async function take(world: FeedWorld, next: Step): Promise<void> {
  switch (next.kind) {
    case 'wait':
      world.now += next.milliseconds
      return
    case 'clock':
      return world.step(next.offset)
    case 'login':
      await world.login()
      return
    case 'restart':
      return world.restart()
    case 'removeKeys':
      return world.removeKeys()
    case 'revokeUser':
      return world.revoke(world.sessions.filter(session => !session.revoked), 'user')
    case 'revoke':
    case 'changeRole': {
      const session = world.sessions[next.index % world.sessions.length]
      if (session === undefined || session.revoked || session.keyRemoved) return
      return next.kind === 'revoke' ? world.revoke([session], 'one') : world.changeRole(session, `role ${world.now}`)
    }
    case 'poll':
      return world.poll(next.times)
    case 'store':
      Object.assign(world.faults, { down: next.down, losesNotifications: next.losesNotifications })
  }
}
