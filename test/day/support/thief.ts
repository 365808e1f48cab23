import { HttpClient } from '../../support/http-client.ts'
import { ORIGIN, REFRESH, SAME_ORIGIN } from '../../support/session-server.ts'
import type { Browser } from './browser.ts'
import type { World } from './world.ts'

/** A thief copies the cookies of a browser, and both go on with them: the session ends, and an event says so. */
export async function rob(world: World, owner: Browser | undefined): Promise<void> {
  const { balancer, ledger, now } = world
  if (owner === undefined) throw new Error('there is nobody to rob')
  const thief = new HttpClient(0, ORIGIN, now)
  thief.jar = owner.client.jar
  await world.advance(70_000)
  await owner.refresh()
  // The owner's new tokens have arrived: they are in use.
  await world.advance(70_000)
  await owner.visit()
  await world.advance(5_000)
  owner.isEnding = true
  const reply = await balancer.send(thief, 'POST', REFRESH, { headers: SAME_ORIGIN })
  ledger.count(`thief ${reply.status}`)
  owner.end('theft')
}
