import { HttpClient } from '../../support/http-client.ts'
import { ORIGIN, REFRESH, SAME_ORIGIN } from '../../support/session-server.ts'
import type { Browser } from './browser.ts'
import type { Crowd } from './crowd.ts'
import { administer, reachesStore, revoke } from './revocations.ts'
import { caughtUp } from './world.ts'
import type { World } from './world.ts'

/** Refreshes wait for the store when it is taken away: so many at least. */
const UNDER_WAY = 4
/** So many browsers refresh at that time. */
const GROUP = 20

/** The database is killed while calls wait for its answers, and started again after a while. */
export async function killDatabase(world: World, crowd: Crowd): Promise<void> {
  await takeAway(world, crowd, async () => {
    await world.primary.kill9()
    world.toPrimary.cutAll()
    world.network.resume()
  }, revokeSome(world, crowd))
  await liveWithout(world, crowd)
  await world.primary.restart()
  await recover(world, crowd)
}

/** No byte comes through between the processes and PgBouncer, in either direction; nothing is closed. */
export async function silenceNetwork(world: World, crowd: Crowd): Promise<void> {
  await takeAway(world, crowd, async () => world.network.stall(), revokeSome(world, crowd))
  await liveWithout(world, crowd)
  world.network.resume()
  await recover(world, crowd)
}

/** What a failover to a replica that lags loses. */
export interface Lost {
  /** They have logged in since the replica stopped listening. */
  readonly logins: readonly Browser[]
  /** The handles that were revoked since. */
  readonly revoked: readonly string[]
}

/**
 * The primary dies, and a replica takes over that has missed rotations, logins and revocations. Returns which of the
 * acknowledged writes are lost.
 */
export async function failOver(world: World, crowd: Crowd, count: number): Promise<Lost> {
  const { ledger, replica, primary, toPrimary } = world
  await caughtUp(world)
  await replica.stop()
  const known = ledger.ended.length
  const before = new Set(crowd.active.map(({ handle }) => handle))
  await revoke(world, crowd, crowd.active.slice(0, count))
  await crowd.logIn()
  for (let round = 0; round < 3; round++) {
    await world.advance(70_000)
    await crowd.use(0.5)
  }
  const logins = crowd.active.filter(({ handle }) => !before.has(handle))
  const revoked = ledger.ended.slice(known).map(({ handle }) => handle)

  await takeAway(world, crowd, async () => {
    await primary.kill9()
    toPrimary.cutAll()
    // The answers that were held back are lost.
    ledger.count('connections cut', world.network.cutAll())
    world.network.resume()
  })
  await replica.restart()
  await replica.promote()
  toPrimary.leadTo(replica.port)
  await recover(world, crowd)
  return { logins: logins.filter(browser => browser.isIn), revoked }
}

/** What an operator does after a lossy failover: revokes again. Lost logins are gone, and these users log in again. */
export async function settleLosses(world: World, crowd: Crowd, { logins, revoked }: Lost): Promise<void> {
  const { ledger, balancer, now } = world
  await crowd.all(logins, async browser => {
    browser.isEnding = true
    await browser.refresh()
    ledger.count('lost login')
    browser.leave()
  })
  const revived = ledger.ended.filter(({ handle }) => revoked.includes(handle))
  await crowd.all(revived, async ({ client }) => {
    const copy = new HttpClient(0, ORIGIN, now)
    copy.jar = client.jar
    const { status } = await balancer.send(copy, 'POST', REFRESH, { headers: SAME_ORIGIN })
    ledger.count(`session whose revocation is lost: refresh ${status}`)
  })
  await administer(world, 'revoke', { handles: revoked })
  await world.advance(1_000)
  await crowd.tryEnded(revived)
  await crowd.logIn()
}

/** The last revocations before an outage are durable, but not every process has heard of them. */
const revokeSome = (world: World, crowd: Crowd) => (): Promise<void> => revoke(world, crowd, crowd.active.slice(-3))

/** Waits until calls wait for the store, and takes it away under them. `last` is acknowledged just before. */
async function takeAway(
  world: World, crowd: Crowd, remove: () => Promise<void>, last: () => Promise<void> = async () => undefined,
): Promise<void> {
  const { ledger, network } = world
  const [refreshing, visiting] = [crowd.active.slice(0, GROUP), crowd.active.slice(GROUP, 3 * GROUP)]
  await crowd.all([...refreshing, ...visiting], browser => browser.visit())
  // A refresh reaches the store only if the last one is a while ago.
  await world.advance(70_000)
  await crowd.all(visiting, browser => browser.visit())
  // What the store forgets, a jar must not forget as well.
  for (const browser of crowd.browsers) {
    browser.mayFallBack = false
    browser.forgetSaved()
  }
  await last()
  const answer = network.holdAnswers()
  const refreshes = crowd.all(refreshing, browser => browser.refresh())
  await answer
  ledger.count('store calls under way when the store went away', await world.storeCallsUnderWay(UNDER_WAY))
  ledger.isOutage = true
  await remove()
  await world.while(refreshes)
}

/** Browsers go on: pages are served, logins and refreshes fail. */
async function liveWithout(world: World, crowd: Crowd): Promise<void> {
  const visit = (): Promise<void> => crowd.all(crowd.active.slice(0, 2 * GROUP), browser => browser.visit())
  await world.while(Promise.all([visit(), crowd.logIn()]))
  // Now the feeds have not read the change log for too long.
  await world.advance(6_000)
  await world.while(visit())
  await world.while(visit())
  await world.while(crowd.tryEnded(world.ledger.ended.slice(-GROUP)))
}

/** Waits until every process can use the store again, and has read the change log. */
async function recover(world: World, crowd: Crowd): Promise<void> {
  const { ledger, balancer } = world
  await world.while((async () => {
    for (const application of balancer.applications) while (!await reachesStore(world, application));
  })())
  ledger.isOutage = false
  await world.advance(5_000)
  await crowd.logIn()
}
