import type { Crowd } from './crowd.ts'
import type { World } from './world.ts'

/** Stops one process after the other and starts another in its place, while browsers use the application. */
export async function restartAll(world: World, crowd: Crowd): Promise<void> {
  const { balancer, ledger } = world
  for (const application of [...balancer.applications]) {
    // Refreshes do what they do in earnest: the last one is a while ago.
    await world.advance(70_000)
    await Promise.all([crowd.use(1), (async () => {
      await balancer.progress(10)
      if (balancer.underWay > 0) ledger.count('process stopped amid requests')
      await world.stop(application)
      await world.start()
    })()])
  }
}
