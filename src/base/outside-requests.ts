/** Runs work in an asynchronous context of its own. */
type Run = <Result>(work: () => Result) => Result

interface Host {
  readonly AsyncLocalStorage?: ContextStorage
  readonly process?: {
    getBuiltinModule?(name: 'node:async_hooks'): { readonly AsyncLocalStorage?: ContextStorage } | undefined
  }
}

interface ContextStorage {
  snapshot?(): Run
}

/**
 * Runs work outside of the asynchronous context of any request: in the one in which this module was loaded. What the
 * work starts stays outside, such as a timer, a connection, or the handlers of its promises.
 *
 * Everything that outlives the request that happens to start it must be started here: timers, polls, connections,
 * batches of several requests, and promises that are kept. Otherwise it would keep the first request's
 * `AsyncLocalStorage` in memory, and its store calls would appear in the first request's trace (L-31).
 *
 * Without `AsyncLocalStorage` there are no such contexts, and the work is only called. It is not imported, because
 * importing it fails on runtimes that do not have it.
 */
export const outsideRequests: Run = findRun()

function findRun(): Run {
  try {
    // Read through an object, so that bundlers for other platforms do not see a use of Node.
    const host: typeof globalThis & Host = globalThis
    const storage = host.AsyncLocalStorage ?? host.process?.getBuiltinModule?.('node:async_hooks')?.AsyncLocalStorage
    return storage?.snapshot?.() ?? runDirectly
  } catch {
    // Some platforms have functions of Node that only throw.
    return runDirectly
  }
}

function runDirectly<Result>(work: () => Result): Result {
  return work()
}
