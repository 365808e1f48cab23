/**
 * Converts ES256 signatures between their two forms. A JWT contains `r || s`, 32 bytes each (RFC 7518 section 3.4);
 * OpenSSL uses DER (RFC 3279 section 2.2.3). With `dsaEncoding: 'ieee-p1363'`, `node:crypto` converts them as well, but
 * that takes 39 microseconds: a third of a verification without the cache, and of a refresh
 * (docs/benchmarks/platform.md). Here it takes less than one.
 */

const HALF = 32
const SEQUENCE = 0x30
const INTEGER = 0x02

/** Converts `r || s` to DER. */
export function derSignature(raw: Uint8Array): Uint8Array {
  const rStart = firstSignificant(raw, 0)
  const sStart = firstSignificant(raw, HALF)
  const rLength = integerLength(raw, rStart, HALF)
  const sLength = integerLength(raw, sStart, 2 * HALF)
  const der = new Uint8Array(6 + rLength + sLength)
  der[0] = SEQUENCE
  der[1] = 4 + rLength + sLength
  der[2] = INTEGER
  der[3] = rLength
  der.set(raw.subarray(rStart, HALF), 4 + rLength - (HALF - rStart))
  der[4 + rLength] = INTEGER
  der[5 + rLength] = sLength
  der.set(raw.subarray(sStart), der.length - (2 * HALF - sStart))
  return der
}

/** Converts DER, as OpenSSL writes it, to `r || s`. */
export function rawSignature(der: Uint8Array): Uint8Array {
  const raw = new Uint8Array(2 * HALF)
  const rEnd = 4 + (der[3] ?? 0)
  copyInteger(der.subarray(4, rEnd), raw, HALF)
  copyInteger(der.subarray(rEnd + 2), raw, 2 * HALF)
  return raw
}

/** The index of the first significant byte of the number in this half; of its last byte if the number is zero. */
function firstSignificant(raw: Uint8Array, start: number): number {
  let index = start
  while (index < start + HALF - 1 && raw[index] === 0) index++
  return index
}

/**
 * The length of a DER integer. A number whose first bit is set needs a zero byte before it, or it would be negative.
 */
function integerLength(raw: Uint8Array, start: number, end: number): number {
  return end - start + ((raw[start] ?? 0) >= 0x80 ? 1 : 0)
}

/** Copies a DER integer, without the leading zero byte, so that it ends at `end`. */
function copyInteger(integer: Uint8Array, raw: Uint8Array, end: number): void {
  const digits = integer.length > HALF ? integer.subarray(1) : integer
  raw.set(digits, end - digits.length)
}
