// Law 2: an owner and a thief, who copied the owner's jar.
import { Life, R } from './lives.ts'
import type { Jar } from './lives.ts'
import type { Rules } from './refresh.ts'

const SECOND = 1000

/** Owner and thief refresh at their own pace, more than 2R apart. Returns whether each could refresh twice. */
export function bothGoOn(rules: Rules, seed: number): boolean {
  const lifetime = 4 * R
  const life = new Life(rules, seed)
  const jars = { owner: life.login(), thief: life.login() }
  const pass = (least: number, most: number): void => { life.now += least + life.upTo(most) }
  for (let before = life.upTo(4); before > 0; before--) {
    pass(lifetime, 0)
    jars.owner = life.refresh(jars.owner).jar ?? jars.owner
    if (!life.isLikely(0.7)) continue
    pass(2 * R + 5 * SECOND, 0)
    life.use(jars.owner)
  }
  jars.thief = jars.owner
  const refreshes = { owner: 0, thief: 0 }
  const areInUse = life.isLikely(0.6)
  while (refreshes.owner < 2 || refreshes.thief < 2) {
    pass(2 * R + SECOND, lifetime)
    const party = life.isLikely(0.5) ? 'owner' : 'thief'
    const { outcome, jar } = life.refresh(jars[party])
    if (outcome.kind === 'busy') continue
    if (jar === null) return life.record !== null
    jars[party] = jar
    refreshes[party]++
    if (!areInUse) continue
    pass(2 * R + SECOND, 0)
    life.use(jar)
  }
  return true
}

/**
 * The thief rotates first, and presents the parent again and again until the owner refreshes, so that the owner gets
 * the thief's child. Access tokens live for 32R. Returns whether the thief's tokens still work after the owner's fourth
 * refresh.
 */
export function holdsOn(rules: Rules, seed: number): boolean {
  const lifetime = 32 * R
  const gap = [0.45, 0.9, 1.05, 1.5][seed % 4] ?? 1
  const life = new Life(rules, seed)
  let owner = life.login()
  let thief: Jar = owner
  for (let round = 0; round < 4; round++) {
    const parent = thief
    const start = life.now + 1
    const end = start + lifetime * 0.9 + life.upTo(lifetime * 0.2)
    for (life.now = start; life.now < end; life.now += gap * R) {
      if (life.now > start && life.isLikely(0.5)) life.use(thief)
      const { outcome, jar } = life.refresh(parent)
      if (outcome.kind === 'busy') continue
      if (jar === null) return false
      thief = jar
    }
    life.now = end + life.upTo(R / 2)
    let answer = life.refresh(owner)
    for (; answer.outcome.kind === 'busy'; answer = life.refresh(owner)) life.now += R / 2
    if (answer.jar === null) return false
    owner = answer.jar
    life.now = Math.max(life.now, end + R) + R
    life.use(owner)
    life.use(thief)
    life.now += lifetime
  }
  return true
}
