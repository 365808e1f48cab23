import type { EpochMilliseconds, Milliseconds } from '../../../src/base/time.ts'
import { HttpClient } from '../../support/http-client.ts'
import type { JarCookie, Reply, SendOptions } from '../../support/http-client.ts'
import { AT, ORIGIN, REFRESH, SAME_ORIGIN, SIGNOUT } from '../../support/session-server.ts'
import type { Balancer } from './balancer.ts'
import type { EndedSession, Ledger } from './ledger.ts'
import type { Random } from './random.ts'

/** What all browsers share. */
export interface Surroundings {
  readonly balancer: Balancer
  readonly ledger: Ledger
  readonly random: Random
  now(): EpochMilliseconds
}

/** The reuse interval: a jar that falls back loses what was written in this time at most (law 1). */
const REUSE_INTERVAL: Milliseconds = 30_000
/** So many answers of one refresh token in a row may be lost, and no more (law 1). */
const MOST_LOST = 5

/** One browser of one user: some tabs that share a cookie jar. It breaks no rule of an honest client. */
export class Browser {
  readonly userId: string
  client: HttpClient
  handle: string | null = null
  /** Whether a call that ends the session is under way: until it is acknowledged, either answer is right. */
  isEnding = false
  /** Whether its jar may fall back: not after the store has forgotten something, until it has refreshed (law 6). */
  mayFallBack = true
  readonly #around: Surroundings
  #underWay = 0
  #lost = 0
  #waited = false
  #waitsUntil: EpochMilliseconds = 0
  #saved: { readonly jar: readonly JarCookie[]; readonly at: EpochMilliseconds } | null = null

  constructor(userId: string, around: Surroundings) {
    this.userId = userId
    this.#around = around
    this.client = this.#newClient()
  }

  get isIn(): boolean {
    return this.handle !== null && !this.isEnding
  }

  /** The id of the key that signed its access token. */
  get signingKey(): string {
    const [header = ''] = (this.client.cookie(AT) ?? '').split('.')
    return header === '' ? '' : (JSON.parse(Buffer.from(header, 'base64url').toString()) as { kid: string }).kid
  }

  /** Whether it was asked to wait before its next refresh. */
  get isWaiting(): boolean {
    return this.#waitsUntil > this.#around.now()
  }

  /** Whether it wants to fall back to its saved jar, and may. */
  get fallsBack(): boolean {
    return this.mayFallBack && this.#saved !== null && this.#around.now() - this.#saved.at <= REUSE_INTERVAL
  }

  async logIn(): Promise<void> {
    const reply = await this.#send('POST', '/login', { body: { userId: this.userId } })
    if (this.#isAnswered('login', reply, 200)) this.handle = (JSON.parse(reply.body) as { handle: string }).handle
  }

  /** Opens a page; if the access token has expired, refreshes, and opens it again. */
  async visit(path: 'GET /me' | 'POST /act' = 'GET /me'): Promise<void> {
    const [method = '', target = ''] = path.split(' ')
    const reply = await this.#send(method, target)
    if (reply.status === 200 || !this.isIn) return this.#around.ledger.count(`visit ${reply.status}`)
    if (reply.status !== 401) return void this.#isAnswered('visit', reply, 200)
    this.#around.ledger.count('visit: expired')
    if (!await this.refresh()) return
    const again = await this.#send(method, target)
    if (this.isIn) this.#isAnswered('visit after refresh', again, 200)
  }

  /** Refreshes. Returns whether it has a new access token. */
  async refresh({ lost = false }: { readonly lost?: boolean } = {}): Promise<boolean> {
    const isLost = lost && this.#lost < MOST_LOST
    if (isLost) this.#lost += 1
    const reply = await this.#send('POST', REFRESH, { lost: isLost })
    if (!this.isIn) return false
    if (isLost) {
      this.#around.ledger.count('refresh: answer lost')
      return false
    }
    if (reply.status === 503 && !this.#around.ledger.isOutage) {
      this.#wait(Number(reply.headers['retry-after']))
      return false
    }
    if (!this.#isAnswered('refresh', reply, 200)) return false
    this.#lost = 0
    this.#waited = false
    this.mayFallBack = true
    return true
  }

  /**
   * The store is there, so this is `REFRESH_BUSY`: an earlier answer may still be on its way to a client that has lost
   * all of them for two minutes. It keeps its tokens, and comes back when it was asked to.
   */
  #wait(seconds: number): void {
    const { ledger, now } = this.#around
    ledger.count('refresh: busy')
    if (!(seconds >= 1)) ledger.fault(`busy without a time to wait: ${seconds}`)
    // Other tabs may have got the same answer at the same time.
    if (this.#waited && this.#waitsUntil <= now()) ledger.fault(`${this.userId} (${this.handle}) was busy again`)
    this.#waitsUntil = Math.max(this.#waitsUntil, now() + seconds * 1_000)
    this.#waited = true
  }

  /** Several tabs do the same at once, without a lock. */
  async inTabs(count: number, act: () => Promise<unknown>): Promise<void> {
    await Promise.all(Array.from({ length: count }, act))
  }

  /** Some answers get lost; the browser repeats its call at once, or leaves it at that. */
  async loseAnswers(count: number, repeats: boolean): Promise<void> {
    for (let time = 0; time < count; time++) await this.refresh({ lost: true })
    if (repeats) await this.visit()
  }

  /** The jar is written to the disk; what comes after may be forgotten when the browser crashes. */
  save(): void {
    this.#saved = { jar: this.client.jar, at: this.#around.now() }
  }

  /** The browser has crashed, and starts with the jar that it saved. */
  fallBack(): void {
    if (!this.fallsBack || this.#underWay > 0 || this.#saved === null) return
    this.client.jar = this.#saved.jar
    this.#saved = null
    this.#around.ledger.count('jar fell back')
  }

  forgetSaved(): void {
    this.#saved = null
  }

  async signOut(): Promise<void> {
    this.isEnding = true
    const kept = new HttpClient(0, ORIGIN, this.#around.now)
    kept.jar = this.client.jar
    const reply = await this.#send('POST', SIGNOUT)
    if (!this.#isAnswered('sign-out', reply, 200)) {
      this.isEnding = false
      return
    }
    this.client = kept
    this.end('signed out')
  }

  /** The end of its session was acknowledged: somebody keeps its cookies, and it can log in again. */
  end(how: EndedSession['how']): void {
    const { ledger, now } = this.#around
    if (this.handle === null) return
    const { userId, handle, client } = this
    ledger.ended.push({ userId, handle, client, how, at: now(), due: false })
    this.leave()
    ledger.count(`ended: ${how}`)
  }

  /** Starts with an empty jar. */
  leave(): void {
    this.client = this.#newClient()
    this.handle = null
    this.isEnding = false
    this.#lost = 0
    this.#waited = false
    this.#saved = null
    this.mayFallBack = true
  }

  #newClient(): HttpClient {
    return new HttpClient(0, ORIGIN, () => this.#around.now())
  }

  async #send(method: string, path: string, options: Pick<SendOptions, 'body' | 'lost'> = {}): Promise<Reply> {
    this.#underWay += 1
    try {
      return await this.#around.balancer.send(this.client, method, path, { headers: SAME_ORIGIN, ...options })
    } finally {
      this.#underWay -= 1
    }
  }

  /** Counts an answer. Anything but the expected one is a fault, except 503 while the store may fail. */
  #isAnswered(what: string, reply: Reply, expected: number): boolean {
    const { ledger } = this.#around
    ledger.count(`${what} ${reply.status}`)
    if (reply.status === expected) return true
    if (reply.status !== 503 || !ledger.isOutage) {
      ledger.fault(`${what} of ${this.userId} (${this.handle}) got ${reply.status} ${reply.body}`)
    }
    return false
  }
}
