import { setTimeout as sleep } from 'node:timers/promises'
import type { Measurement } from './messages.ts'
import type { World } from './world.ts'

/** How often, and how many times at most, to look whether the connections are closed. */
const [INTERVAL, LOOKS] = [200, 300]

/**
 * Lets everything come to rest: no connection of a client is open, and the feeds sleep. Then measures every process. A
 * pool closes connections that it has not used for ten seconds, so this takes as long.
 */
export async function haveCalm({ balancer, advance }: World): Promise<readonly Measurement[]> {
  for (const { agent } of balancer.applications) agent.destroy()
  await advance(60_000)
  return Promise.all(balancer.applications.map(async application => {
    for (let looks = 1; ; looks++) {
      const { resources } = await application.state()
      if ((resources['TCPSocketWrap'] ?? 0) === 0 || looks === LOOKS) return application.measure()
      await sleep(INTERVAL)
    }
  }))
}
