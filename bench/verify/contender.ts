import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Exchange } from '../support/request.ts'

/** One way to find the session of a request. */
export interface Contender<Found = unknown> {
  /** The headers of request number `index`. */
  headers(index: number): Readonly<Record<string, string>>
  /** From Node's request object to a session that can be used. Throws or rejects if there is none. */
  find(request: IncomingMessage, response: ServerResponse): Found | Promise<Found>
  /** Whose session it is. */
  userOf(found: Found): string | undefined
  /** Stops what set-up started. */
  close?(): Promise<void>
}

/** Prepares a contender, in a process of its own. */
export type SetUp = () => Promise<Contender>

/** The measured work: from Node's request objects to the user ids, one after the other. */
export async function run<Found>(contender: Contender<Found>, exchanges: readonly Exchange[]): Promise<void> {
  for (const { request, response } of exchanges) {
    const answer = contender.find(request, response)
    const found = answer instanceof Promise ? await answer : answer
    if (contender.userOf(found) !== userId) throw new Error('not the session of the request')
  }
}

/** Claims of an application, the same for all contenders. */
export const claims = { role: 'admin', plan: 'team' } as const
export const userId = '3f0c8f5e-7a54-4f6b-9a5e-2a1b6f1f2c11'
/** The number of different sessions that alternate, for measurements in which it does not matter. */
export const SESSIONS = 64
