import * as fc from 'fast-check'
import type { SessionStore } from '../../../src/session/store.ts'
import { ACCESS_TOKEN_LIFETIME, R, World } from './world.ts'
import type { CreateCore, Jar } from './world.ts'

/** How a copied token is used by its owner and by the thief. */
export interface Theft {
  /** The refreshes before the theft, and for each whether its tokens were used. */
  readonly before: readonly boolean[]
  /** Who refreshes next, and how long after the refresh before: always further apart than 2R. */
  readonly turns: readonly { readonly owner: boolean; readonly wait: number }[]
  /** Whether both use their access tokens long enough to confirm their refresh tokens. */
  readonly used: boolean
}

const AT = ACCESS_TOKEN_LIFETIME * 1000

export const theft: fc.Arbitrary<Theft> = fc.record({
  before: fc.array(fc.boolean(), { maxLength: 4 }),
  turns: fc.array(
    fc.record({ owner: fc.boolean(), wait: fc.integer({ min: 2 * R + 1000, max: 2 * R + AT }) }),
    { minLength: 16, maxLength: 16 },
  ),
  used: fc.boolean(),
})

/**
 * A thief copies the jar, and both go on to refresh, more than 2R apart. Law 2: the third refresh in alternation,
 * counted from the thief's first, fails; and at the latest when each has refreshed twice, the session has ended.
 * Returns how the law was broken, or null.
 */
export async function steal(
  create: CreateCore,
  store: SessionStore,
  plan: Theft,
  seed: number,
): Promise<string | null> {
  const world = new World(create, store, seed)
  let shared = await world.login()
  for (const used of plan.before) {
    await world.advanceTo(world.now + AT)
    const answer = await world.refresh(shared)
    if (answer.jar === null) return 'the owner was refused before the theft'
    shared = answer.jar
    if (used) await useLong(world, shared)
  }
  const jars = { owner: shared, thief: shared }
  const refreshes = { owner: 0, thief: 0 }
  const trace: string[] = []
  let alternations = 0
  let last = ''
  for (const turn of plan.turns) {
    await world.advanceTo(world.now + turn.wait)
    const who = turn.owner ? 'owner' : 'thief'
    const answer = await world.refresh(jars[who])
    trace.push(`${who}:${answer.how}`)
    if (answer.kind === 'busy') continue
    if (answer.jar === null) return isOver(world, jars, answer.kind, trace)
    jars[who] = answer.jar
    refreshes[who]++
    if (who !== last && (who === 'thief' || alternations > 0)) alternations++
    last = who
    if (alternations >= 3) return trace.join(' ')
    if (plan.used) await useLong(world, jars[who])
    if (refreshes.owner >= 2 && refreshes.thief >= 2) return trace.join(' ')
  }
  return null
}

/** Checks that after a theft no token of either party works any more, and that the theft was reported. */
async function isOver(
  world: World,
  jars: { readonly owner: Jar; readonly thief: Jar },
  kind: string,
  trace: readonly string[],
): Promise<string | null> {
  if (kind !== 'theft') return `refused as ${kind}: ${trace.join(' ')}`
  await world.advanceTo(world.now + 1)
  for (const jar of [jars.owner, jars.thief]) {
    const after = await world.refresh(jar)
    if (after.kind !== 'unauthorized') return `${after.kind} after the theft: ${trace.join(' ')}`
    const verdict = await world.core().verify(jar.accessToken)
    if (verdict.kind === 'active') return `an access token worked after the theft: ${trace.join(' ')}`
  }
  return world.events.some(({ name }) => name === 'theft') ? null : `no event: ${trace.join(' ')}`
}

async function useLong(world: World, jar: Jar): Promise<void> {
  await world.advanceTo(world.now + 2 * R + 1000)
  await world.use(jar)
  await world.advanceTo(world.now + 1000)
}

/** How a thief repeats the owner's token to keep its windows open until the owner comes. */
export interface Holding {
  readonly gaps: readonly number[]
  readonly used: boolean
}

export const holding: fc.Arbitrary<Holding> = fc.record({
  gaps: fc.array(fc.integer({ min: R / 8, max: 1.9 * R }), { minLength: 5, maxLength: 40 }),
  used: fc.boolean(),
})

/**
 * A thief rotates first and repeats the parent. Law 2: no thief keeps one token's windows open for longer than 36R.
 * With the gaps between the six windows, from 48R on it never gets the same child twice. Returns how the law was
 * broken, or null.
 */
export async function hold(
  create: CreateCore,
  store: SessionStore,
  { gaps, used }: Holding,
  seed: number,
): Promise<string | null> {
  const world = new World(create, store, seed)
  const parent = await world.login()
  const child = (await world.refresh(parent)).jar
  const start = world.now
  const trace: string[] = []
  for (let index = 0; world.now <= start + 52 * R; index++) {
    await world.advanceTo(world.now + (gaps[index % gaps.length] ?? R))
    if (used && child !== null) await world.use(child)
    const answer = await world.refresh(parent)
    trace.push(`${((world.now - start) / R).toFixed(2)}R ${answer.how}`)
    if (answer.kind === 'theft') return null
    if (answer.kind === 'unauthorized') return trace.join(' ')
    if (world.now > start + 48 * R && answer.how !== 'branch') return trace.join(' ')
  }
  return null
}
