/** A point in time: milliseconds since 1970-01-01T00:00:00Z. */
export type EpochMilliseconds = number

/** A span of time in milliseconds. */
export type Milliseconds = number

/** A point in time as tokens write it: whole seconds since 1970 (NumericDate, RFC 7519 section 2). */
export type EpochSeconds = number

/** The last second that a date can carry, in the year 275760 (ECMA-262 section 21.4.1.1). */
export const LAST_SECOND: EpochSeconds = 8_640_000_000_000

/** Where the time comes from. Nothing in Keyturn reads a clock that was not passed in. */
export type Clock = () => EpochMilliseconds

/** Rounds down to the whole seconds of a NumericDate. */
export function toEpochSeconds(instant: EpochMilliseconds): EpochSeconds {
  return Math.floor(instant / 1000)
}
