/** The readings of a device's two clocks, in milliseconds: one can be set, the other stops while the device sleeps. */
export interface Reading {
  /** Since 1970. */
  readonly wall: number
  /** Since some moment; never set. */
  readonly steady: number
}

/** When something was seen, and how old it was then, in milliseconds. */
export interface Seen extends Reading {
  readonly age: number
}

/** Notes that what was received at `received` (by the wall clock, perhaps of another page) is seen now. Pure. */
export function see(received: number, now: Reading): Seen {
  return { ...now, age: Math.max(0, now.wall - received) }
}

/**
 * How old it is now. The clock that went further is right: one that was set back, or stopped, only went less far. One
 * that was set forward makes it look older, which costs a refresh and nothing else. Pure.
 */
export function ageOf(seen: Seen, now: Reading): number {
  return seen.age + Math.max(now.wall - seen.wall, now.steady - seen.steady)
}
