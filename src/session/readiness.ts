import { toMilliseconds } from '../base/duration.ts'
import { GeneralError, isSessionError } from '../base/errors.ts'
import { shareOn } from '../base/host.ts'
import { checkOptions } from '../base/options.ts'
import type { Scheduler } from '../base/scheduler.ts'
import { within } from '../base/within.ts'
import type { Engine } from './engine.ts'
import { readyRules } from './ready-options.ts'
import type { ReadyOptions } from './ready-options.ts'

/**
 * Creates the `ready` of an engine. Calls at the same time share an attempt, each with its own bound; a call after a
 * failure begins another; a call after a success costs nothing.
 */
export function createReadiness(engine: Engine, schedule: Scheduler): (options?: ReadyOptions) => Promise<void> {
  let isReady = false
  const attempt = shareOn(engine.host, async () => {
    await prepare(engine)
    isReady = true
  })

  return async (options = {}) => {
    checkOptions('ready', readyRules, options)
    const { timeout = readyRules.timeout.defaultValue, signal } = options
    signal?.throwIfAborted()
    if (isReady) return
    const limit = toMilliseconds(timeout)
    await within(attempt.run(), {
      limit, schedule, signal,
      late: () =>
        new GeneralError('STORE_UNAVAILABLE', `sessions were not ready within ${limit} ms: the store does not `
          + 'answer; check its address, or set timeout higher if its change log is very long', {
          reason: 'store-unreachable',
      }),
    })
  }
}

/** Opens the store, checks it, and reads keys and change log. */
async function prepare(engine: Engine): Promise<void> {
  const { store, keys, policy } = engine
  try {
    await store.check()
    await Promise.all([keys.current(), policy.blacklisting === 'off' ? null : readLog(engine)])
  } catch (error) {
    throw withCure(error)
  }
}

/** Starts the feed, and reads the whole log, however long it is. */
async function readLog({ feed, clock }: Engine): Promise<void> {
  await feed.start()
  await feed.catchUp()
  // A feed that could not be read at an earlier attempt has started all the same.
  if (!feed.isFresh(clock())) await feed.read()
  if (feed.isFresh(clock())) return
  throw feed.status().failure ?? new GeneralError('STORE_UNAVAILABLE', 'the change log could not be read')
}

/** The error that `ready` rejects with: the store's, and what to do if that does not say so. */
function withCure(error: unknown): unknown {
  if (!isSessionError(error) || error.code !== 'STORE_UNAVAILABLE' || error.reason !== 'store-unreachable') return error
  const message = `${error.message}: check that the store runs and that its address is right`
  return new GeneralError('STORE_UNAVAILABLE', message, { cause: error.cause ?? error, reason: error.reason })
}
