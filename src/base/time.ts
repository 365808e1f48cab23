/** A point in time: milliseconds since 1970-01-01T00:00:00Z. */
export type EpochMilliseconds = number

/** A span of time in milliseconds. */
export type Milliseconds = number

/** A point in time in a token: whole seconds since 1970 (NumericDate, RFC 7519 section 2). */
export type EpochSeconds = number

/** The latest second that a `Date` can represent, in the year 275760 (ECMA-262 section 21.4.1.1). */
export const LAST_SECOND: EpochSeconds = 8_640_000_000_000

/** Returns the current time. Keyturn reads no clock but the one that it is given. */
export type Clock = () => EpochMilliseconds

/** Converts a point in time to a NumericDate, rounded down. */
export function toEpochSeconds(instant: EpochMilliseconds): EpochSeconds {
  return Math.floor(instant / 1000)
}
