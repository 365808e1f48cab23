// A discrete simulation of the feed of many processes on one store. Its generator is seeded, so the result is the same
// every time.

/** The parameters of a simulation. Times are in milliseconds. */
export interface FleetModel {
  readonly processes: number
  /** Changes of the log per second, in total: at random times, or at equal distances if `spacing` is `even`. */
  readonly changesPerSecond: number
  readonly spacing: 'random' | 'even'
  readonly push: boolean
  readonly pollInterval: number
  /** The least time between two pushes that a process reacts to. */
  readonly pushPause: number
  /** From the write until a process is notified. */
  readonly pushDelay: number
  /** From the call that revokes until the entry is in the log. */
  readonly writeDelay: number
  /** The time of a read of the log, as the process sees it, when the store is idle. */
  readonly readDelay: number
  /** How long a read keeps one of the store's cores busy. */
  readonly readWork: number
  readonly cores: number
  /** The time within which all processes were started; their polls keep these distances. */
  readonly startedWithin: number
  readonly seconds: number
}

/** The results of a simulation. */
export interface FleetResult {
  /** Milliseconds from a revocation until the last process knows it. */
  readonly p50: number
  readonly p99: number
  readonly readsPerSecondAndProcess: number
  readonly readsPerSecond: number
  /** How many of the store's cores are busy with reads. */
  readonly busyCores: number
}

type Action = (now: number) => void

/** Scheduled tasks, the earliest first: a binary heap. */
class Agenda {
  readonly #items: { readonly at: number; readonly run: Action }[] = []

  add(at: number, run: Action): void {
    const items = this.#items
    let index = items.push({ at, run }) - 1
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (this.#at(parent) <= at) break
      this.#swap(index, parent)
      index = parent
    }
  }

  run(until: number): void {
    for (;;) {
      const first = this.#items[0]
      if (first === undefined || first.at > until) return
      const last = this.#items.pop()
      if (last !== undefined && this.#items.length > 0) {
        this.#items[0] = last
        this.#sink()
      }
      first.run(first.at)
    }
  }

  #sink(): void {
    let index = 0
    for (;;) {
      const left = 2 * index + 1
      const least = this.#at(left + 1) < this.#at(left) ? left + 1 : left
      if (this.#at(least) >= this.#at(index)) return
      this.#swap(index, least)
      index = least
    }
  }

  #at(index: number): number {
    return this.#items[index]?.at ?? Number.POSITIVE_INFINITY
  }

  #swap(left: number, right: number): void {
    const [first, second] = [this.#items[left], this.#items[right]]
    if (first === undefined || second === undefined) return
    this.#items[left] = second
    this.#items[right] = first
  }
}

/** A generator of random numbers from 0 to 1, the same for the same seed. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ state >>> 15, state | 1)
    mixed ^= mixed + Math.imul(mixed ^ mixed >>> 7, mixed | 61)
    return ((mixed ^ mixed >>> 14) >>> 0) / 2 ** 32
  }
}

/** Simulates a fleet. */
export function simulate(model: FleetModel): FleetResult {
  const random = seeded(1)
  const agenda = new Agenda()
  const written: number[] = []
  const known: { at: number; processes: number }[] = []
  const begun: number[] = []
  const cores = Array.from({ length: model.cores }, () => 0)
  const end = model.seconds * 1000
  let reads = 0
  let work = 0

  /** The time at which the store has finished a task that it gets now, on the core that is free first. */
  function serve(now: number): number {
    let freest = 0
    for (let core = 1; core < cores.length; core++) if ((cores[core] ?? 0) < (cores[freest] ?? 0)) freest = core
    const started = Math.max(now, cores[freest] ?? 0)
    cores[freest] = started + model.readWork
    work += model.readWork
    return started - now + model.readDelay
  }

  class Process {
    #cursor = 0
    #reading = false
    #again = false
    #pausing = false
    #woken = false

    wake(now: number): void {
      if (this.#pausing) {
        this.#woken = true
        return
      }
      this.#pausing = true
      agenda.add(now + model.pushPause, later => {
        this.#pausing = false
        if (!this.#woken) return
        this.#woken = false
        this.wake(later)
      })
      this.read(now)
    }

    read(now: number): void {
      if (this.#reading) {
        this.#again = true
        return
      }
      this.#reading = true
      reads++
      const delay = serve(now)
      // The response has the entries that are in the log when the store reads it.
      agenda.add(now + delay / 2, () => {
        const head = written.length
        agenda.add(now + delay, done => this.#take(head, done))
      })
    }

    poll(now: number): void {
      this.read(now)
      agenda.add(now + model.pollInterval, later => this.poll(later))
    }

    #take(head: number, now: number): void {
      // The first process is the one that revokes, so it knows already.
      if (this === fleet[0]) this.#cursor = head
      for (; this.#cursor < head; this.#cursor++) {
        const change = known[this.#cursor]
        if (change === undefined) continue
        change.processes++
        if (change.processes === model.processes) change.at = now
      }
      this.#reading = false
      if (!this.#again) return
      this.#again = false
      this.read(now)
    }
  }

  const fleet = Array.from({ length: model.processes }, () => new Process())
  for (const member of fleet) agenda.add(random() * model.startedWithin, now => member.poll(now))
  function change(now: number): void {
    const gap = 1000 / model.changesPerSecond
    agenda.add(now + (model.spacing === 'even' ? gap : -Math.log(1 - random()) * gap), change)
    agenda.add(now + model.writeDelay, later => {
      begun.push(now)
      written.push(later)
      known.push({ at: model.processes === 1 ? later : Number.POSITIVE_INFINITY, processes: 1 })
    })
    if (!model.push) return
    for (const member of fleet) {
      agenda.add(now + model.writeDelay + model.pushDelay * (0.5 + random()), later => member.wake(later))
    }
  }
  change(0)
  agenda.run(end)

  // The last changes may not have arrived everywhere.
  const latencies = known.map(({ at }, index) => at - (begun[index] ?? 0))
    .filter((_, index) => (begun[index] ?? 0) < end - 2 * model.pollInterval)
    .toSorted((left, right) => left - right)
  const percentile = (share: number): number => latencies[Math.ceil(latencies.length * share) - 1] ?? Number.NaN
  return {
    p50: percentile(0.5),
    p99: percentile(0.99),
    readsPerSecond: reads / model.seconds,
    readsPerSecondAndProcess: reads / model.seconds / model.processes,
    busyCores: work / end,
  }
}
