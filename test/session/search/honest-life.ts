// Laws 1 and 6: an honest client with one jar and any number of tabs.
import type { EpochMilliseconds, Milliseconds } from '../../../src/base/time.ts'
import type { SessionRecord } from '../../../src/session/record.ts'
import { Life, R } from './lives.ts'
import type { Jar } from './lives.ts'
import type { Path } from './paths.ts'
import type { Rules } from './refresh.ts'

export interface HonestLifeOptions {
  /**
   * The time over which a page without a lock spreads its refreshes: each rejected request starts one of its own, with
   * the token that is then in the jar. 0: pages refresh expired tokens only.
   */
  readonly spread: Milliseconds
  /** Whether the store loses up to three of its newest rotations while no call is in flight. */
  readonly forgets: boolean
}

/** The shortest access token that a session with this R has: four fifths of five times R. */
const LIFETIME = 4 * R
/** How often the browser writes its jar to disk. When it crashes, it falls back to what it wrote. */
const FLUSH = 0.99 * R
const EVENTS = 400
/** Law 1: fewer than six answers of one refresh token in a row are lost. */
const LOST_IN_A_ROW = 5

/** Returns how the client was refused, or null if it never was. */
export function liveHonestly(rules: Rules, seed: number, { spread, forgets }: HonestLifeOptions): string | null {
  const life = new Life(rules, seed)
  const agenda: { readonly at: EpochMilliseconds; readonly run: () => void }[] = []
  const history: (SessionRecord | null)[] = [life.record]
  const lost = new Map<Path, number>()
  let jar = life.login()
  let onDisk = jar
  let inFlight = 0
  let awaitsAdoption = false
  let refusal: string | null = null

  const after = (delay: Milliseconds, run: () => void): void => void agenda.push({ at: life.now + delay, run })

  function flush(): void {
    onDisk = jar
    after(FLUSH, flush)
  }

  function call(): void {
    const presented = jar
    const duration = life.upTo(R / 4)
    const outward = life.upTo(duration)
    inFlight++
    after(outward, () => {
      const { outcome, jar: answer } = life.refresh(presented)
      history.push(life.record)
      if (outcome.kind === 'answered' && outcome.how === 'adopt') awaitsAdoption = false
      if (outcome.kind !== 'answered' && outcome.kind !== 'busy') refusal = outcome.kind
      after(duration - outward, () => {
        inFlight--
        if (answer !== null && !isLost(presented)) jar = answer
      })
    })
  }

  function isLost({ token }: Jar): boolean {
    const count = lost.get(token) ?? 0
    const isLostNow = life.isLikely(0.3) && count < LOST_IN_A_ROW
    lost.set(token, isLostNow ? count + 1 : 0)
    return isLostNow
  }

  const isExpired = (): boolean => life.now - jar.issuedAt >= LIFETIME

  function browse(): void {
    for (let tabs = 1 + life.upTo(3); tabs > 0; tabs--) {
      after(life.isLikely(0.5) ? 0 : life.upTo(1.2 * R), () => {
        if (isExpired()) call()
      })
    }
    if (spread === 0) return
    for (let refused = 2 + life.upTo(12); refused > 0; refused--) after(life.upTo(spread), call)
  }

  function forget(): void {
    const back = Math.min(history.length - 1, life.upTo(4))
    if (back === 0 || inFlight > 0) return
    history.length -= back
    life.record = history.at(-1) ?? null
    awaitsAdoption = true
  }

  function user(): void {
    const choice = life.random()
    if (isExpired() && choice < 0.7) browse()
    else if (choice < 0.85) life.use(jar)
    else if (choice < 0.9) {
      // Law 6: after the store has lost rotations, the jar falls back only once a token was adopted.
      if (inFlight === 0 && !awaitsAdoption) jar = onDisk
    } else if (choice < 0.93 && forgets) forget()
    after(life.isLikely(0.5) ? life.upTo(8000) : life.upTo(life.isLikely(0.7) ? 2.5 * R : 1.3 * LIFETIME), user)
  }

  flush()
  user()
  for (let events = 0; events < EVENTS && refusal === null; events++) {
    const next = agenda.reduce((one, other) => (other.at < one.at ? other : one))
    agenda.splice(agenda.indexOf(next), 1)
    life.now = next.at
    next.run()
  }
  return refusal
}
