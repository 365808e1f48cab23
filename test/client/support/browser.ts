import { parseAddress } from '../../../src/client/address.ts'
import type { ClientEnvironment, Fetch, Locks } from '../../../src/client/environment.ts'

/** The features that a browser has. */
export interface BrowserSettings {
  readonly locks?: boolean
  readonly storage?: boolean
  readonly channel?: boolean
  /** How long a tab's message takes to reach the others, in milliseconds. */
  readonly lag?: number
}

interface Timer {
  readonly at: number
  readonly task: () => void
}

/** A tab: its environment, and events that a test causes. */
export interface Tab extends ClientEnvironment {
  visible: boolean
  wake(): void
}

/** One browser profile with any number of tabs and simulated clocks. */
export class Browser {
  /** The browser's wall clock, in milliseconds. */
  wall: number
  steady = 0
  readonly disk = new Map<string, string>()
  readonly #settings: Required<BrowserSettings>
  readonly #send: Fetch
  readonly #held = new Set<string>()
  readonly #marks = new Set<string>()
  readonly #waiting: { readonly name: string; readonly grant: () => void }[] = []
  readonly #receivers = new Set<{ readonly name: string; readonly tab: object; hear(message: unknown): void }>()
  #timers: Timer[] = []
  #seed = 1

  constructor(send: Fetch, wall: number, settings: BrowserSettings = {}) {
    this.#send = send
    this.wall = wall
    this.#settings = { locks: true, storage: true, channel: true, lag: 0, ...settings }
  }

  /** Closes the browser and opens it again: what lasts for one run is gone. */
  restart(): void {
    this.#marks.clear()
  }

  openTab(pageUrl = 'https://app.example.com/'): Tab {
    const wakes = new Set<() => void>()
    const tab: Tab = {
      fetch: (input, init) => this.#send(input, init),
      parseAddress,
      runMark: { has: name => this.#marks.has(name), set: name => this.#marks.add(name).has(name) },
      pageUrl,
      storage: this.#settings.storage ? this.#storage() : null,
      locks: this.#settings.locks ? this.#locks() : undefined,
      now: () => ({ wall: this.wall, steady: this.steady }),
      random: () => this.random(),
      after: (delay, task) => this.after(delay, task),
      openSignal: (name, hear, closing) => {
        const receiver = { name, tab, hear }
        this.#receivers.add(receiver)
        closing.addEventListener('abort', () => this.#receivers.delete(receiver))
        return message => this.#settings.channel && this.#post(name, tab, message)
      },
      visible: true,
      isVisible: () => tab.visible,
      onWake(listener, closing) {
        wakes.add(listener)
        closing.addEventListener('abort', () => wakes.delete(listener))
      },
      wake: () => wakes.forEach(listener => listener()),
    }
    return tab
  }

  /** Deterministic random numbers (mulberry32). */
  random(): number {
    this.#seed = (this.#seed + 0x6d2b79f5) | 0
    let mixed = Math.imul(this.#seed ^ (this.#seed >>> 15), 1 | this.#seed)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }

  after(delay: number, task: () => void): () => void {
    const timer = { at: this.steady + delay, task }
    this.#timers.push(timer)
    return () => {
      this.#timers = this.#timers.filter(other => other !== timer)
    }
  }

  /** Lets time pass: every timer that is due runs, and the promises that depend on it settle. */
  async pass(milliseconds: number): Promise<void> {
    const end = this.steady + milliseconds
    for (;;) {
      await settle()
      const [next] = this.#timers.filter(({ at }) => at <= end).sort((left, right) => left.at - right.at)
      if (next === undefined) break
      this.#timers = this.#timers.filter(other => other !== next)
      this.#move(Math.max(0, next.at - this.steady))
      next.task()
    }
    this.#move(end - this.steady)
    await settle()
  }

  /** How many timers are set. */
  get timers(): number {
    return this.#timers.length
  }

  #move(milliseconds: number): void {
    this.steady += milliseconds
    this.wall += milliseconds
  }

  #storage(): NonNullable<ClientEnvironment['storage']> {
    const { lag } = this.#settings
    const later = (change: () => void): void => void (lag === 0 ? change() : this.after(lag, change))
    return {
      getItem: key => this.disk.get(key) ?? null,
      setItem: (key, value) => later(() => this.disk.set(key, value)),
    }
  }

  #post(name: string, from: object, message: unknown): void {
    const others = [...this.#receivers].filter(receiver => receiver.name === name && receiver.tab !== from)
    this.after(this.#settings.lag, () => {
      for (const other of others) if (this.#receivers.has(other)) other.hear(message)
    })
  }

  #locks(): Locks {
    return {
      request: async (name, { ifAvailable = false }, task) => {
        if (this.#held.has(name)) {
          if (ifAvailable) return task(null)
          await new Promise<void>(grant => this.#waiting.push({ name, grant }))
        }
        this.#held.add(name)
        try {
          return await task({})
        } finally {
          const next = this.#waiting.findIndex(waiter => waiter.name === name)
          if (next === -1) this.#held.delete(name)
          else this.#waiting.splice(next, 1)[0]?.grant()
        }
      },
    }
  }
}

/** Waits until all pending promises that can settle have settled. */
export async function settle(): Promise<void> {
  for (let tick = 0; tick < 5; tick++) await new Promise(resolve => setImmediate(resolve))
}
