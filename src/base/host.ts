import { atMost } from './at-most.ts'
import { mayShareWork, shareWork } from './shared-work.ts'
import type { SharedWork } from './shared-work.ts'
import type { Milliseconds } from './time.ts'

/** Lets work that no request waits for go on after the response: `waitUntil` of the platform. */
export type KeepAlive = (work: Promise<unknown>) => void

/** What the host of the program does with work that goes on after a response. */
export interface Host {
  /**
   * Whether timers, connections and promises outlive the request that started them, as on Node.js, Bun and Deno. In the
   * isolates of Cloudflare Workers and on similar platforms they end with it, unless {@link Host.keepAlive} has them.
   */
  readonly isLongLived: boolean
  /** Must get every promise that no caller awaits, and every promise that several calls share. Never throws. */
  readonly keepAlive: KeepAlive
}

/** A host on which nothing ends with a request. */
export const longLivedHost: Host = { isLongLived: true, keepAlive: () => undefined }

/**
 * A host that ends the work of a request with its response. `keepAlive` may throw, for example outside of a request.
 */
export function isolateHost(keepAlive: KeepAlive): Host {
  const ignore = (): void => undefined
  return {
    isLongLived: false,
    keepAlive(work) {
      try {
        // The caller of the work gets its error; the platform would report it a second time.
        keepAlive(work.then(ignore, ignore))
      } catch {
        // The work goes on for as long as the request does.
      }
    },
  }
}

/** The host, by the runtime alone: for platforms whose `waitUntil` is not known. */
export const detectedHost: Host = mayShareWork ? longLivedHost : isolateHost(() => undefined)

/**
 * How long a call waits for work that another request has started. If the platform has ended that request, the work
 * never ends, or the platform says so; the call then starts its own.
 */
const JOIN_LIMIT: Milliseconds = 1_000

/** As {@link shareWork}, on any host: where a request may end before its work, nobody waits for that work for long. */
export function shareOn<Result>(host: Host, work: () => Promise<Result>): SharedWork<Result> {
  return host.isLongLived ? shareWork(work, true) : shareInIsolate(host, work)
}

/** What work came to. It is waited for in place of the work: if waiting fails, that is the platform's doing. */
type Outcome<Result> = { readonly value: Result } | { readonly error: unknown }

interface Started<Result> {
  readonly outcome: Promise<Outcome<Result>>
  readonly since: Milliseconds
}

function shareInIsolate<Result>({ keepAlive }: Host, work: () => Promise<Result>): SharedWork<Result> {
  let running: Started<Result> | null = null

  function start(): Promise<Result> {
    const answer = work().finally(() => forget(started))
    const started: Started<Result> = {
      since: performance.now(),
      outcome: answer.then(value => ({ value }), (error: unknown) => ({ error })),
    }
    running = started
    keepAlive(started.outcome)
    return answer
  }

  async function join(started: Started<Result>): Promise<Result> {
    const outcome = await outcomeOf(started)
    if (outcome === null) {
      forget(started)
      return run()
    }
    if ('error' in outcome) throw outcome.error
    return outcome.value
  }

  function forget(started: Started<Result>): void {
    if (running === started) running = null
  }

  function run(): Promise<Result> {
    return running === null || timeLeft(running) <= 0 ? start() : join(running)
  }

  return { isRunning: () => running !== null && timeLeft(running) > 0, run }
}

/** Waits for what another request has started; null if it may never come. */
async function outcomeOf<Result>(started: Started<Result>): Promise<Outcome<Result> | null> {
  try {
    return await atMost(timeLeft(started), started.outcome) ? await started.outcome : null
  } catch {
    return null
  }
}

function timeLeft({ since }: Started<unknown>): Milliseconds {
  return JOIN_LIMIT - (performance.now() - since)
}
