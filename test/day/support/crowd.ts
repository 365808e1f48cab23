import { HttpClient } from '../../support/http-client.ts'
import { ORIGIN, REFRESH, SAME_ORIGIN } from '../../support/session-server.ts'
import { Browser } from './browser.ts'
import type { Surroundings } from './browser.ts'
import type { EndedSession } from './ledger.ts'

/** So many browsers act at the same time. */
const AT_ONCE = 24

/** All browsers of the day. Every third one is careless: many tabs, lost answers, a jar that falls back. */
export class Crowd {
  readonly browsers: readonly Browser[]
  readonly #around: Surroundings

  /** Every fifth user has two devices. */
  constructor(count: number, around: Surroundings) {
    this.#around = around
    this.browsers = Array.from({ length: count }, (_, index) => (
      new Browser(`user-${index % 5 === 0 ? index + 1 : index}`, around)
    ))
  }

  get active(): Browser[] {
    return this.browsers.filter(browser => browser.isIn)
  }

  /** Lets each of them act, some at a time. */
  async all<T>(those: readonly T[], act: (one: T) => Promise<unknown>): Promise<void> {
    const queue = [...those].values()
    await Promise.all(Array.from({ length: AT_ONCE }, async () => {
      for (const one of queue) await act(one)
    }))
  }

  /** Everybody without a session logs in. */
  async logIn(): Promise<void> {
    await this.all(this.browsers.filter(browser => browser.handle === null), browser => browser.logIn())
  }

  /** A part of those who have a session use it, each in its way. Jars that may fall back do so now. */
  async use(part: number): Promise<void> {
    const { random } = this.#around
    const able = this.active.filter(browser => !browser.isWaiting)
    const crashed = new Set(able.filter(browser => browser.fallsBack))
    for (const browser of crashed) browser.fallBack()
    const others = able.filter(browser => !crashed.has(browser) && random.chance(part))
    await this.all([...crashed, ...others], browser => this.#use(browser))
  }

  /** Sessions that have ended are tried: with their access token, and with their refresh token. */
  async tryEnded(those: readonly EndedSession[] = this.#around.ledger.ended): Promise<void> {
    await this.all(those, session => this.#try(session))
  }

  async #use(browser: Browser): Promise<void> {
    const { random } = this.#around
    const isCareless = this.browsers.indexOf(browser) % 3 === 0
    if (!isCareless) return browser.visit(random.chance(0.2) ? 'POST /act' : 'GET /me')
    switch (random.whole(0, 4)) {
      case 0: return browser.inTabs(random.whole(2, 4), () => browser.visit())
      case 1: return browser.inTabs(random.whole(2, 6), () => browser.refresh())
      case 2: return browser.loseAnswers(random.whole(1, 3), random.chance(0.5))
      case 3:
        browser.save()
        await browser.refresh()
        return browser.visit()
      default:
        for (let time = 0; time < 3; time++) await browser.refresh()
        return browser.visit()
    }
  }

  async #try({ userId, handle, client, how, due }: EndedSession): Promise<void> {
    const { ledger, balancer, now } = this.#around
    // A copy, so that the cookies are still there for the next try.
    const copy = new HttpClient(0, ORIGIN, now)
    copy.jar = client.jar
    const visit = await balancer.send(copy, 'GET', '/me', { headers: SAME_ORIGIN })
    const what = `${how} session, ${due ? 'due' : 'not yet due'}`
    ledger.count(`${what}: visit ${visit.status}`)
    if (due && visit.status === 200) ledger.fault(`${what} was accepted: ${userId} ${handle}`)
    // Without the store, a refresh only waits.
    if (ledger.isOutage) return
    copy.jar = client.jar
    const refresh = await balancer.send(copy, 'POST', REFRESH, { headers: SAME_ORIGIN })
    ledger.count(`${what}: refresh ${refresh.status}`)
    if (refresh.status !== 401) ledger.fault(`${what} was refreshed with ${refresh.status}: ${userId} ${handle}`)
  }
}
