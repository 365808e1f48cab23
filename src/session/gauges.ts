import type { Engine } from './engine.ts'
import { signingAt, statusOfKeys, totalOf } from './health.ts'
import type { Series } from './tally.ts'

/** Reads the values of an engine that are not counted as they happen. Calls no store. */
export function readGauges(engine: Engine): readonly Series[] {
  const { clock, feed, caches } = engine
  const now = clock()
  const { state, readAt } = feed.status()
  const status = statusOfKeys(engine)
  const signing = status === null ? null : signingAt(status, now)
  const series = (name: Series['name'], value: number): Series => ({ name, labels: {}, value })
  const { entries, hits, misses } = totalOf(caches)
  return [
    series('keyturn.token.cache.hits', hits),
    series('keyturn.token.cache.misses', misses),
    series('keyturn.token.cache.entries', entries),
    series('keyturn.feed.age', state !== 'following' || readAt === null ? 0 : Math.max(0, now - readAt) / 1000),
    ...signing === null ? [] : [
      series('keyturn.key.age', Math.max(0, now - signing.current.activeFrom) / 1000),
      series('keyturn.key.rotation.due', (signing.nextAt - now) / 1000),
    ],
  ]
}
