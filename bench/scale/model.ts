import { Agenda, seeded } from './agenda.ts'

// A discrete simulation of many processes on one store: the feed, confirmations, keys, leases and cleanup. Its
// generator is seeded, so the result is the same every time.

/** The parameters of a simulation. Times are in milliseconds. */
export interface FleetModel {
  readonly processes: number
  /** How many of them serve no requests, and sleep. */
  readonly idle: number
  /** Changes of the log per second, in total: at random times, or at equal distances if `spacing` is `even`. */
  readonly changesPerSecond: number
  readonly spacing: 'random' | 'even'
  readonly push: boolean
  readonly pollInterval: number
  /** The interval of the reads of a process that sleeps. */
  readonly sleepingInterval: number
  /** The least time between two pushes that a process reacts to. */
  readonly pushPause: number
  /** Every timer is shortened by a random part of up to this. */
  readonly jitter: number
  /** From the write until a process is notified. */
  readonly pushDelay: number
  /** From the call that revokes until the entry is in the log. */
  readonly writeDelay: number
  /** The time of a read of the log, as the process sees it, when the store is idle. */
  readonly readDelay: number
  /** From the time at which a process knows of a revocation until the next request shows it. */
  readonly noticeDelay: number
  /** The age at which a process that serves requests reads the keys again, and the store's clock with them. */
  readonly keysInterval: number
  /** How often each process that has created sessions tries to get the lease of the cleanup. */
  readonly leaseInterval: number
  /** Sessions that expire per second, and how many of them one call removes. */
  readonly expiriesPerSecond: number
  readonly cleanupBatch: number
  /** Confirmations that each serving process queues per second, when it writes them, and how many one call takes. */
  readonly confirmationsPerProcess: number
  readonly flushDelay: number
  readonly confirmationBatch: number
  readonly cores: number
  /** How long a call keeps one of the store's cores busy, and how much each session adds. */
  readonly callWork: number
  readonly confirmationWork: number
  readonly removalWork: number
  /** The time within which all processes were started; their timers keep these distances. */
  readonly startedWithin: number
  readonly seconds: number
}

/** The calls of the port that a fleet makes whatever it serves, per second of the whole fleet. */
export type ModelledCall = 'changesSince' | 'listKeys' | 'time' | 'acquireLease' | 'removeExpired' | 'confirm'

/** The results of a simulation. */
export interface FleetResult {
  /** Milliseconds from a revocation until the last process knows it. */
  readonly p50: number
  readonly p99: number
  readonly callsPerSecond: Readonly<Record<ModelledCall, number>>
  /** Sessions in the calls of `confirm`, per second. */
  readonly confirmedPerSecond: number
  /** How many of the store's cores are busy with these calls. */
  readonly busyCores: number
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
  const calls = { changesSince: 0, listKeys: 0, time: 0, acquireLease: 0, removeExpired: 0, confirm: 0 }
  let confirmed = 0
  let work = 0
  let leader: Process | null = null
  let cleanedAt = 0

  const timer = (delay: number): number => delay * (1 - model.jitter * random())
  const exponential = (perSecond: number): number => -Math.log(1 - random()) * 1000 / perSecond

  /** The duration of a call that the store gets now. It works on the core that is free first. */
  function serve(now: number, call: ModelledCall, cost = 0): number {
    calls[call]++
    const busy = model.callWork + cost
    let freest = 0
    for (let core = 1; core < cores.length; core++) if ((cores[core] ?? 0) < (cores[freest] ?? 0)) freest = core
    const started = Math.max(now, cores[freest] ?? 0)
    cores[freest] = started + busy
    work += busy
    return started - now + model.readDelay
  }

  class Process {
    readonly #isIdle: boolean
    #cursor = 0
    #reading = false
    #again = false
    #pausing = false
    #woken = false

    constructor(isIdle: boolean) {
      this.#isIdle = isIdle
    }

    start(now: number): void {
      this.poll(now)
      this.lead(now + timer(model.leaseInterval) * random())
      if (this.#isIdle) return
      this.readKeys(now + timer(model.keysInterval) * random())
      if (model.confirmationsPerProcess > 0) this.confirm(now)
    }

    wake(now: number): void {
      if (this.#isIdle) return
      if (this.#pausing) {
        this.#woken = true
        return
      }
      this.#pausing = true
      agenda.add(now + timer(model.pushPause), later => {
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
      const delay = serve(now, 'changesSince')
      // The response has the entries that are in the log when the store reads it.
      agenda.add(now + delay / 2, () => {
        const head = written.length
        agenda.add(now + delay, done => this.#take(head, done))
      })
    }

    poll(now: number): void {
      this.read(now)
      const interval = this.#isIdle ? model.sleepingInterval : model.pollInterval
      // The next timer begins when the log is read.
      agenda.add(now + timer(interval) + model.readDelay, later => this.poll(later))
    }

    readKeys(at: number): void {
      agenda.add(at, now => {
        serve(now, 'listKeys')
        serve(now, 'time')
        this.readKeys(now + timer(model.keysInterval))
      })
    }

    /** Tries to get the lease of the cleanup, which its holder keeps, and cleans up with it. */
    lead(at: number): void {
      agenda.add(at, now => {
        serve(now, 'acquireLease')
        leader ??= this
        if (leader === this) this.#cleanUp(now)
        this.lead(now + timer(model.leaseInterval))
      })
    }

    #cleanUp(now: number): void {
      let due = (now - cleanedAt) / 1000 * model.expiriesPerSecond
      cleanedAt = now
      do {
        serve(now, 'removeExpired', Math.min(due, model.cleanupBatch) * model.removalWork)
        due -= model.cleanupBatch
      } while (due > 0)
    }

    /** Waits for a confirmation, and writes it with those that come until the timer ends. */
    confirm(now: number): void {
      const delay = timer(model.flushDelay)
      agenda.add(now + exponential(model.confirmationsPerProcess) + delay, later => {
        const queued = 1 + Math.round(delay / 1000 * model.confirmationsPerProcess)
        confirmed += queued
        for (let left = queued; left > 0; left -= model.confirmationBatch) {
          serve(later, 'confirm', Math.min(left, model.confirmationBatch) * model.confirmationWork)
        }
        this.confirm(later)
      })
    }

    #take(head: number, now: number): void {
      // The first process is the one that revokes, so it knows already.
      if (this === fleet[0]) this.#cursor = head
      for (; this.#cursor < head; this.#cursor++) {
        const change = known[this.#cursor]
        if (change === undefined || this.#isIdle) continue
        change.processes++
        if (change.processes === serving) change.at = now
      }
      this.#reading = false
      if (!this.#again) return
      this.#again = false
      this.read(now)
    }
  }

  const serving = model.processes - model.idle
  const fleet = Array.from({ length: model.processes }, (_, index) => new Process(index >= serving))
  for (const member of fleet) agenda.add(random() * model.startedWithin, now => member.start(now))
  function change(now: number): void {
    const gap = 1000 / model.changesPerSecond
    agenda.add(now + (model.spacing === 'even' ? gap : exponential(model.changesPerSecond)), change)
    agenda.add(now + model.writeDelay, later => {
      begun.push(now)
      written.push(later)
      known.push({ at: serving === 1 ? later : Number.POSITIVE_INFINITY, processes: 1 })
    })
    if (!model.push) return
    for (const member of fleet) {
      agenda.add(now + model.writeDelay + model.pushDelay * (0.5 + random()), later => member.wake(later))
    }
  }
  if (model.changesPerSecond > 0) change(0)
  agenda.run(end)

  // The last changes may not have arrived everywhere.
  const latencies = known.map(({ at }, index) => at - (begun[index] ?? 0) + random() * model.noticeDelay)
    .filter((_, index) => (begun[index] ?? 0) < end - 2 * model.pollInterval)
    .toSorted((left, right) => left - right)
  const percentile = (share: number): number => latencies[Math.ceil(latencies.length * share) - 1] ?? Number.NaN
  const perSecond = (count: number): number => count / model.seconds
  return {
    p50: percentile(0.5),
    p99: percentile(0.99),
    callsPerSecond: {
      changesSince: perSecond(calls.changesSince),
      listKeys: perSecond(calls.listKeys),
      time: perSecond(calls.time),
      acquireLease: perSecond(calls.acquireLease),
      removeExpired: perSecond(calls.removeExpired),
      confirm: perSecond(calls.confirm),
    },
    confirmedPerSecond: perSecond(confirmed),
    busyCores: work / end,
  }
}
