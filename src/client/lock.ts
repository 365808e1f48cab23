import type { ClientEnvironment, SharedStorage } from './environment.ts'

/** How long to wait for a turn, in milliseconds: longer than a refresh can take. Then its holder loses it. */
const PATIENCE = 12_000
/** How long a lease can last, in milliseconds, if its tab is closed before it ends it. */
const LEASE = 12_000
/** How long another tab may take to overwrite what was read as free, in milliseconds. */
const SETTLE = 40

/**
 * Runs a task while no other tab runs one of that name: with Web Locks, else with a lease in the shared storage, else
 * at once. `waited`: another tab may have had the turn before. The task must not reject. The lock only saves work: the
 * server answers racing refreshes with the same tokens.
 */
export async function withLock<Result>(
  env: ClientEnvironment,
  name: string,
  task: (waited: boolean) => Promise<Result>,
): Promise<Result> {
  const turn: Promise<Result>[] = []
  const take = (waited: boolean): Promise<Result> => turn[0] ??= task(waited)
  try {
    if (env.locks) {
      await env.locks.request(name, { ifAvailable: true }, async lock => lock && take(false))
      // Older browsers can only wait until the holder is done.
      if (!turn[0]) await env.locks.request(name, { signal: AbortSignal.timeout?.(PATIENCE) }, () => take(true))
    } else if (env.storage) await takeLease(env, env.storage, name, take)
  } catch {
    // Taken from this tab, waited for too long, or refused where storage is blocked: then this is refused too.
    if (!turn[0]) await env.locks?.request(name, { steal: true }, () => take(true)).catch(() => undefined)
  }
  return take(true)
}

/** Two tabs may write at the same moment; who reads its own lease after a while has it. */
async function takeLease(
  env: ClientEnvironment,
  storage: SharedStorage,
  name: string,
  take: (waited: boolean) => Promise<unknown>,
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
  await take(waited)
  storage.setItem(name, '')
}
