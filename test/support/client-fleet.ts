import { setImmediate as turn } from 'node:timers/promises'
import { isSessionError } from '../../src/base/errors.ts'
import type { RefreshCase } from '../../src/session/core.ts'
import { login, owner } from './test-core.ts'
import type { Core } from './test-core.ts'

/** One client, as it remembers its session. */
export interface Client {
  readonly userId: string
  readonly handle: string
  refreshToken: string
}

/** Well-behaved clients of one application: if the store is down, a client repeats its call when the outage is over. */
export class Fleet {
  core: Core
  readonly clients: Client[] = []
  /** The handles of sessions whose revocation was acknowledged. */
  readonly revoked: Client[] = []
  /** How refreshes were answered, and how often. */
  readonly answers: Map<RefreshCase | 'unauthorized' | 'theft', number> = new Map()
  /** How many calls failed because the store was down. */
  outages = 0
  #users = 0
  #outage: Promise<void> = Promise.resolve()

  constructor(core: Core) {
    this.core = core
  }

  /** Takes the store away until `outage` resolves. */
  async during(outage: Promise<void>): Promise<void> {
    this.#outage = outage
    await outage
  }

  async logIn(count: number): Promise<void> {
    await Promise.all(Array.from({ length: count }, async () => {
      const userId = `user-${++this.#users}`
      const { claims, refreshToken } = await this.#insist(() => login(this.core, userId))
      this.clients.push({ userId, handle: claims.sid, refreshToken })
    }))
  }

  /** Lets every client refresh once. A refused one is not asked again: the answers tell. */
  async refreshAll(clients: readonly Client[] = [...this.clients]): Promise<void> {
    await Promise.all(clients.map(async client => {
      const outcome = await this.#insist(() => this.core.refresh(client.refreshToken, 'header', owner))
      const answer = outcome.kind === 'refreshed' ? outcome.how : outcome.kind
      this.answers.set(answer, (this.answers.get(answer) ?? 0) + 1)
      if (outcome.kind === 'refreshed') client.refreshToken = outcome.issued.refreshToken
    }))
  }

  /** Revokes the sessions of the clients that logged in first. */
  async revoke(count: number): Promise<void> {
    await Promise.all(this.clients.splice(0, count).map(async client => {
      await this.#insist(() => this.core.revokeSession(client.handle))
      this.revoked.push(client)
    }))
  }

  /** The answers to refreshes since the last look, as a plain object. */
  takeAnswers(): Partial<Record<RefreshCase | 'unauthorized' | 'theft', number>> {
    const taken = Object.fromEntries(this.answers)
    this.answers.clear()
    return taken
  }

  async #insist<T>(call: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await call()
      } catch (error) {
        if (!isSessionError(error) || error.code !== 'STORE_UNAVAILABLE') throw error
        this.outages += 1
        await this.#outage
        await turn()
      }
    }
  }
}
