import type { Milliseconds } from '../../src/base/time.ts'
import { haveCalm } from './support/calm.ts'
import { Crowd } from './support/crowd.ts'
import { restartAll } from './support/deployment.ts'
import type { Measurement } from './support/messages.ts'
import { failOver, killDatabase, settleLosses, silenceNetwork } from './support/outages.ts'
import { createRandom } from './support/random.ts'
import { administer, revokeEverybody, revokeInEveryWay, timeRevocation } from './support/revocations.ts'
import { rob } from './support/thief.ts'
import type { World } from './support/world.ts'

/** How large the day is. */
export interface DaySettings {
  readonly sessions: number
  readonly seed: number
  /** How often the database is killed, the network silent, and everybody logged out. */
  readonly rounds: number
  /** How long each of the quiet parts of the day lasts, and which part of the browsers acts in 10 s of it. */
  readonly quiet: Milliseconds
  readonly activity: number
  readonly log: (line: string) => void
}

/** What the day has shown, besides the ledger of its world. */
export interface DayResult {
  /** How long the last of four processes accepted a revoked session, in each round. */
  readonly revokedAfter: readonly Milliseconds[]
  /** What each process held before the first request, after a round of all that happens, and in the evening. */
  readonly started: readonly Measurement[]
  readonly noon: readonly Measurement[]
  readonly evening: readonly Measurement[]
  /** The ids of the keys that signed the access tokens in the morning and in the evening. */
  readonly keys: { readonly morning: ReadonlySet<string>; readonly evening: ReadonlySet<string> }
}

const PROCESSES = 4

/** Lives a day of the application. What went wrong is in the ledger of the world. */
export async function liveDay(world: World, settings: DaySettings): Promise<DayResult> {
  const { ledger, now } = world
  const random = createRandom(settings.seed)
  const crowd = new Crowd(settings.sessions, { balancer: world.balancer, ledger, random, now })
  const some = Math.ceil(settings.sessions / 50)

  /** Lives one part of the day. Outside an outage, nothing may fail inside the processes either. */
  const part = async <T>(name: string, work: () => Promise<T>, isOutage = false): Promise<T> => {
    ledger.phase = name
    const [begun, clock, before] = [performance.now(), now(), await world.failures()]
    const result = await work()
    const [took, passed, failures] = [performance.now() - begun, now() - clock, await world.failures() - before]
    settings.log(`${name}: ${seconds(took)} s, ${seconds(passed)} s of the clock, ${failures} failures inside`)
    if (!isOutage && failures > 0) ledger.fault(`${failures} failures inside the processes`)
    return result
  }
  const quiet = (name: string): Promise<void> => part(name, async () => {
    for (let passed = 0; passed < settings.quiet; passed += 10_000) {
      await world.advance(10_000)
      await crowd.use(settings.activity)
    }
    await crowd.tryEnded(random.pick(ledger.ended, 10 * some))
  })

  for (let number = 0; number < PROCESSES; number++) await world.start()
  const started = await part('start', () => haveCalm(world))
  await part('logins', () => crowd.logIn())
  const morningKeys = keysOf(crowd)
  await quiet('traffic in the morning')
  await part('rolling restart', () => restartAll(world, crowd))
  await part('theft', () => rob(world, crowd.active.find(({ userId }) => userId === 'user-2')))
  await part('key rotation', async () => {
    await administer(world, 'rotate-keys')
    await crowd.use(1)
  })

  let noon: readonly Measurement[] = []
  const revokedAfter: Milliseconds[] = []
  for (let round = 1; round <= settings.rounds; round++) {
    await part(`revocations ${round}`, async () => {
      await crowd.logIn()
      await revokeInEveryWay(world, crowd, random, some)
      await world.advance(1_000)
      await crowd.tryEnded()
      revokedAfter.push(await timeRevocation(world, crowd))
    })
    await part(`killed database ${round}`, () => killDatabase(world, crowd), true)
    await quiet(`traffic after the kill ${round}`)
    await part(`silent network ${round}`, () => silenceNetwork(world, crowd), true)
    await quiet(`traffic after the silence ${round}`)
    await part(`everybody logs in again ${round}`, async () => {
      await revokeEverybody(world, crowd)
      await world.advance(1_000)
      await crowd.tryEnded(random.pick(ledger.ended, 10 * some))
      await crowd.logIn()
    })
    await quiet(`traffic after the logins ${round}`)
    if (round === 1) noon = await part('calm at noon', () => haveCalm(world))
  }

  await part('failover', async () => {
    await settleLosses(world, crowd, await failOver(world, crowd, some))
  }, true)
  await quiet('traffic after the failover')
  await part('the rest of the hour', async () => {
    // The new keys sign an hour after they were added.
    await world.advance(3_600_000)
    await crowd.use(1)
  })
  await quiet('traffic in the evening')
  await part('all that ended', () => crowd.tryEnded())
  const evening = await part('calm in the evening', () => haveCalm(world))
  return { revokedAfter, started, noon, evening, keys: { morning: morningKeys, evening: keysOf(crowd) } }
}

/** The ids of the keys that signed the access tokens of all browsers. */
function keysOf(crowd: Crowd): ReadonlySet<string> {
  return new Set(crowd.active.map(browser => browser.signingKey))
}

function seconds(time: Milliseconds): number {
  return Math.round(time / 1_000)
}
