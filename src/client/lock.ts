import type { ClientEnvironment } from './environment.ts'

/** How long to wait for the lock, in milliseconds: longer than a refresh can take. Then the lock is stolen. */
const PATIENCE = 12_000
/** How long a tab's message may arrive after its lock was released, in milliseconds: browsers run several processes. */
const LAG = 50

/**
 * Runs a task while no other tab runs one with the same name: with Web Locks, and at once without them, as on pages
 * without HTTPS. A tab that had to wait hears first what the others have learned. The task must not reject. The lock
 * only saves requests: the server answers concurrent refreshes with the same tokens.
 */
export async function withLock<Result>(
  { locks, after }: Pick<ClientEnvironment, 'locks' | 'after'>,
  name: string,
  task: () => Promise<Result>,
): Promise<Result> {
  const running: Promise<Result>[] = []
  const run = (): Promise<Result> => running[0] ??= task()
  const runLater = (): Promise<Result> =>
    running[0] ??= new Promise<void>(resolve => after(LAG, resolve)).then(task)
  try {
    await locks?.request(name, { ifAvailable: true }, async lock => lock && run())
    if (locks && !running[0]) {
      const limit = new AbortController()
      const stop = after(PATIENCE, () => limit.abort())
      await locks.request(name, { signal: limit.signal }, () => {
        stop()
        return runLater()
      })
    }
  } catch {
    // Another tab stole the lock, the wait timed out, or locks are blocked, in which case stealing fails too.
    if (!running[0]) await locks?.request(name, { steal: true }, runLater).catch(() => undefined)
  }
  return run()
}
