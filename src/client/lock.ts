import type { ClientEnvironment, SharedStorage } from './environment.ts'

/** How long to wait for the lock, in milliseconds: longer than a refresh can take. Then the lock is stolen. */
const PATIENCE = 12_000
/** How long a lease lasts, in milliseconds, if its tab is closed before releasing it. */
const LEASE = 12_000
/** How long another tab may take to overwrite a lease that it read as free, in milliseconds. */
const SETTLE = 40

/**
 * Runs a task while no other tab runs one with the same name: with Web Locks, otherwise with a lease in the shared
 * storage, otherwise at once. `waited`: another tab may have held the lock before. The task must not reject. The lock
 * only saves requests: the server answers concurrent refreshes with the same tokens.
 */
export async function withLock<Result>(
  env: ClientEnvironment,
  name: string,
  task: (waited: boolean) => Promise<Result>,
): Promise<Result> {
  const running: Promise<Result>[] = []
  const run = (waited: boolean): Promise<Result> => running[0] ??= task(waited)
  try {
    if (env.locks) {
      await env.locks.request(name, { ifAvailable: true }, async lock => lock && run(false))
      // Without `AbortSignal.timeout`, older browsers wait until the holder is done.
      if (!running[0]) await env.locks.request(name, { signal: AbortSignal.timeout?.(PATIENCE) }, () => run(true))
    } else if (env.storage) await runWithLease(env, env.storage, name, run)
  } catch {
    // Another tab stole the lock, the wait timed out, or storage is blocked, in which case stealing fails too.
    if (!running[0]) await env.locks?.request(name, { steal: true }, () => run(true)).catch(() => undefined)
  }
  return run(true)
}

/** Two tabs may write a lease at the same moment. The tab that still reads its own after a delay holds it. */
async function runWithLease(
  env: ClientEnvironment,
  storage: SharedStorage,
  name: string,
  run: (waited: boolean) => Promise<unknown>,
): Promise<void> {
  const mine = `${env.random()}`
  let waited = false
  for (;;) {
    const [holder, until] = (storage.getItem(name) ?? '').split(' ')
    if (holder === mine) break
    const left = Number(until) - env.now().wall
    if (left > 0 && left <= LEASE) waited = true
    else storage.setItem(name, `${mine} ${env.now().wall + LEASE}`)
    await new Promise<void>(resolve => env.after(SETTLE * (1 + env.random()), resolve))
  }
  await run(waited)
  storage.setItem(name, '')
}
