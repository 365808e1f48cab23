import { outsideRequests } from './outside-requests.ts'

/** Whether one request may wait for what another one has started. */
export const mayShareWork: boolean = findRuntime()

interface Host {
  readonly process?: { readonly versions?: { readonly node?: string } }
  readonly navigator?: { readonly userAgent?: string }
}

/**
 * True on Node.js, Bun and Deno. Elsewhere the runtime may cancel the work of a request when the request ends: on
 * Cloudflare Workers and similar platforms, another request that waited for the same promise would wait forever.
 */
function findRuntime(): boolean {
  try {
    const host: typeof globalThis & Host = globalThis
    // Workers with Node's APIs also have `process.versions`.
    return typeof host.process?.versions?.node === 'string' && host.navigator?.userAgent !== 'Cloudflare-Workers'
  } catch {
    return false
  }
}

/** Work of which there is at most one at a time, where it may be shared. */
export interface SharedWork<Result> {
  /** Whether calls of {@link SharedWork.run} join work that is under way. */
  isRunning(): boolean
  /** Starts the work, outside of any request, or joins the work that is under way. */
  run(): Promise<Result>
}

/**
 * Makes work that concurrent callers share. Every caller gets its result or its error, and the next call after its end
 * starts it again. If work may not be shared, every call starts its own.
 */
export function shareWork<Result>(work: () => Promise<Result>, isShared: boolean = mayShareWork): SharedWork<Result> {
  let running: Promise<Result> | null = null
  return {
    isRunning: () => running !== null,
    run() {
      if (!isShared) return work()
      running ??= outsideRequests(() => work().finally(() => {
        running = null
      }))
      return running
    },
  }
}
