import type { SessionStore } from '../../src/session/store.ts'
import { sampleHandle, sampleRecord } from '../../src/testing/samples.ts'
import type { TcpProxy } from './tcp-proxy.ts'

/** What became of calls whose answer was lost. */
export interface LostAnswers {
  readonly read: string
  readonly login: string
  /** How many sessions the login has left. */
  readonly inserted: number
  /** How many answers were lost. */
  readonly cuts: number
}

/**
 * Lets the answers to a read and to a login be lost. The store reaches its server over one connection, by way of the
 * proxy.
 */
export async function observeLostAnswers(
  store: SessionStore,
  proxy: Pick<TcpProxy, 'cuts' | 'cutBeforeReply'>,
): Promise<LostAnswers> {
  // A connection prepares a statement before it first runs it, which is a round trip of its own.
  await store.find(sampleHandle(1))
  proxy.cutBeforeReply()
  const read = await outcomeOf(store.find(sampleHandle(1)))
  await store.insert(sampleRecord({ handle: sampleHandle(2) }))
  proxy.cutBeforeReply()
  const login = await outcomeOf(store.insert(sampleRecord({ handle: sampleHandle(1) })))
  const inserted = await store.find(sampleHandle(1)) === null ? 0 : 1
  return { read, login, inserted, cuts: proxy.cuts }
}

async function outcomeOf(call: Promise<unknown>): Promise<string> {
  return call.then(() => 'answered', (error: unknown) => String(Object(error).code))
}
