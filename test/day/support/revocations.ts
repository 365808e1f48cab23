import { HttpClient } from '../../support/http-client.ts'
import { ORIGIN, SAME_ORIGIN } from '../../support/session-server.ts'
import type { Application } from './application.ts'
import type { Browser } from './browser.ts'
import type { Crowd } from './crowd.ts'
import type { EndedSession } from './ledger.ts'
import type { Random } from './random.ts'
import type { World } from './world.ts'

type AdminCall = 'revoke' | 'revoke-user' | 'revoke-everybody' | 'rotate-keys'

/** The application's back office. Returns whether the call was acknowledged: it may fail during an outage only. */
export async function administer(
  { balancer, ledger, now }: World, call: AdminCall, body: object = {},
): Promise<boolean> {
  const client = new HttpClient(0, ORIGIN, now)
  const reply = await balancer.send(client, 'POST', `/admin/${call}`, { headers: SAME_ORIGIN, body })
  ledger.count(`${call} ${reply.status}`)
  if (reply.status === 200) return true
  if (reply.status !== 503 || !ledger.isOutage) ledger.fault(`${call} got ${reply.status} ${reply.body}`)
  return false
}

/** Whether a process gets answers of the store. */
export async function reachesStore({ balancer, now }: World, application: Application): Promise<boolean> {
  const client = new HttpClient(0, ORIGIN, now)
  return (await balancer.sendTo(application, client, 'POST', '/admin/count', { headers: SAME_ORIGIN })).status === 200
}

/** Revokes sessions one by one, until each is acknowledged. */
export async function revoke(world: World, crowd: Crowd, browsers: readonly Browser[]): Promise<void> {
  await crowd.all(browsers, async browser => {
    browser.isEnding = true
    if (await administer(world, 'revoke', { handles: [browser.handle] })) browser.end('revoked')
    else browser.isEnding = false
  })
}

/** Revokes all sessions of the users of these browsers. */
export async function revokeUsers(world: World, crowd: Crowd, browsers: readonly Browser[]): Promise<void> {
  const users = [...new Set(browsers.map(({ userId }) => userId))]
  await crowd.all(users, async userId => {
    const theirs = crowd.browsers.filter(browser => browser.userId === userId && browser.handle !== null)
    for (const browser of theirs) browser.isEnding = true
    const isDone = await administer(world, 'revoke-user', { userId })
    for (const browser of theirs) {
      if (isDone) browser.end('user revoked')
      else browser.isEnding = false
    }
  })
}

/** Revokes some sessions, those of some users, and lets some sign out. */
export async function revokeInEveryWay(world: World, crowd: Crowd, random: Random, count: number): Promise<void> {
  await revoke(world, crowd, random.pick(crowd.active, count))
  await revokeUsers(world, crowd, random.pick(crowd.active, count))
  await crowd.all(random.pick(crowd.active, count), browser => browser.signOut())
  await crowd.tryEnded()
}

/** Revokes the sessions of everybody. */
export async function revokeEverybody(world: World, crowd: Crowd): Promise<void> {
  const all = crowd.active
  for (const browser of all) browser.isEnding = true
  if (!await administer(world, 'revoke-everybody')) throw new Error('the revocation was not acknowledged')
  for (const browser of all) browser.end('everybody revoked')
}

/** Revokes one session and visits every process until all refuse it, while the clock runs. Returns how long it took. */
export async function timeRevocation(world: World, crowd: Crowd): Promise<number> {
  await revoke(world, crowd, crowd.active.slice(0, 1))
  const begun = performance.now()
  const session = world.ledger.ended.at(-1)
  await world.while((async () => {
    for (const application of world.balancer.applications) {
      while (await statusAt(world, application, session) === 200);
    }
  })())
  return Math.round(performance.now() - begun)
}

async function statusAt(
  { balancer, now }: World, application: Application, session: EndedSession | undefined,
): Promise<number> {
  const client = new HttpClient(0, ORIGIN, now)
  client.jar = session?.client.jar ?? []
  return (await balancer.sendTo(application, client, 'GET', '/me', { headers: SAME_ORIGIN })).status
}
