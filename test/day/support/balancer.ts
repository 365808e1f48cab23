import type { HttpClient, Reply, SendOptions } from '../../support/http-client.ts'
import type { Application } from './application.ts'
import type { Ledger } from './ledger.ts'

/** Sends each request to the next process that accepts it, as a load balancer without affinity does. */
export class Balancer {
  readonly applications: Application[] = []
  /** How many requests are under way. */
  underWay = 0
  readonly #ledger: Ledger
  readonly #heard = new Set<() => void>()
  #answers = 0
  #next = 0

  constructor(ledger: Ledger) {
    this.#ledger = ledger
  }

  /** Sends a request, to another process if one breaks off. */
  async send(client: HttpClient, method: string, path: string, options: SendOptions = {}): Promise<Reply> {
    for (let attempt = 1; ; attempt++) {
      const to = this.applications[this.#next++ % this.applications.length]
      if (to === undefined) throw new Error('no process is running')
      try {
        return await this.sendTo(to, client, method, path, options)
      } catch (error) {
        // The process has stopped, or closed a connection that was idle: the client cannot know what it did.
        this.#ledger.count('broken off')
        if (attempt === 100) throw error
      }
    }
  }

  /** Sends a request to one process. */
  async sendTo(
    to: Application, client: HttpClient, method: string, path: string, options: SendOptions = {},
  ): Promise<Reply> {
    const begun = performance.now()
    this.underWay += 1
    try {
      const reply = await client.send(method, path, { ...options, to })
      this.#ledger.time(`${method} ${path}`, performance.now() - begun)
      return reply
    } finally {
      this.underWay -= 1
      this.#answers += 1
      for (const hear of this.#heard) hear()
    }
  }

  /** Resolves once so many more requests were answered. */
  progress(count: number): Promise<void> {
    const aim = this.#answers + count
    return new Promise(resolve => {
      const hear = (): void => {
        if (this.#answers < aim) return
        this.#heard.delete(hear)
        resolve()
      }
      this.#heard.add(hear)
    })
  }
}
