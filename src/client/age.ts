/** A device's two clocks, in milliseconds. The wall clock can be set; the steady one stops while the device sleeps. */
export interface Reading {
  /** Since 1970. */
  readonly wall: number
  /** Since an arbitrary moment; nobody can set it. */
  readonly steady: number
}

/** The time at which something was seen, and its age at that time, in milliseconds. */
export interface Seen extends Reading {
  readonly age: number
}

/** Notes that something is seen now which arrived at `received`, by the wall clock, perhaps in another tab. Pure. */
export function see(received: number, now: Reading): Seen {
  return { ...now, age: Math.max(0, now.wall - received) }
}

/**
 * The age now, in milliseconds, by the clock that advanced more: a clock that was set back or stopped advanced less. A
 * clock that was set forward makes the age too large, which costs one refresh and nothing else. Pure.
 */
export function ageOf(seen: Seen, now: Reading): number {
  return seen.age + Math.max(now.wall - seen.wall, now.steady - seen.steady)
}
