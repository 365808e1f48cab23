/** The readings of a device's two clocks, in milliseconds. The wall clock can be set; the steady one stops in sleep. */
export interface ClockReading {
  /** Since 1970. */
  readonly wall: number
  /** Since an arbitrary moment; nobody can set it. */
  readonly steady: number
}

/** A moment: what the clocks showed then, and how old something was, in milliseconds. */
export interface Moment extends ClockReading {
  readonly age: number
}

/** The moment now, for something that arrived at `received` by the wall clock, perhaps in another tab. Pure. */
export function momentOf(received: number, now: ClockReading): Moment {
  return { ...now, age: Math.max(0, now.wall - received) }
}

/**
 * The age now, in milliseconds, by the clock that advanced more: a clock that was set back or stopped advanced less. A
 * clock that was set forward makes the age too large, which costs one refresh and nothing else. Pure.
 */
export function ageOf(moment: Moment, now: ClockReading): number {
  return moment.age + Math.max(now.wall - moment.wall, now.steady - moment.steady)
}
