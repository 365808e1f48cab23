import { openStore } from '../open-store.ts'
import { createApplication } from '../sessions.ts'
import { watchLoop } from '../statistics.ts'

// A process that starts on a store with a change log: it verifies a token, and then waits until it has read the log.

/** The answer. Times are in milliseconds from the first call. */
export interface Started {
  readonly answered: number
  readonly ready: number
  readonly longestStop: number
  readonly pages: number
}

const [place = '', data = '', token = ''] = process.argv.slice(2)
const inner = openStore('postgres', place, data)
let announceRead = (): void => undefined
const read = new Promise<void>(resolve => {
  announceRead = resolve
})
let pages = 0
const application = createApplication({
  ...inner,
  async changesSince(cursor, limit) {
    const page = await inner.changesSince(cursor, limit)
    pages++
    // The feed applies the page before this.
    if (!page.more) setTimeout(announceRead, 0)
    return page
  },
})
const loop = watchLoop()
const start = performance.now()
const elapsed = (): number => performance.now() - start
await application.verify(token)
const answered = elapsed()
await read
process.send?.({ answered, ready: elapsed(), longestStop: loop.longest(), pages } satisfies Started)
process.on('disconnect', () => process.exit())
