/**
 * ES256 signatures in the two forms they come in: a JWT has `r || s`, 32 bytes each (RFC 7518 section 3.4), OpenSSL
 * works with DER (RFC 3279 section 2.2.3). `node:crypto` converts them with `dsaEncoding: 'ieee-p1363'`, which takes 39
 * microseconds, here less than one: half of the cost of a verification in DER, and more than that of a signature
 * (`node:crypto ES256` beside `node:crypto ECDSA P-256, DER` in docs/benchmarks/verify.md).
 */

const HALF = 32
const SEQUENCE = 0x30
const INTEGER = 0x02

/** From `r || s` to DER. */
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

/** From DER, as OpenSSL writes it, to `r || s`. */
export function rawSignature(der: Uint8Array): Uint8Array {
  const raw = new Uint8Array(2 * HALF)
  const rEnd = 4 + (der[3] ?? 0)
  copyInteger(der.subarray(4, rEnd), raw, HALF)
  copyInteger(der.subarray(rEnd + 2), raw, 2 * HALF)
  return raw
}

/** Where the number that ends with this half begins; its last byte if it is zero. */
function firstSignificant(raw: Uint8Array, start: number): number {
  let index = start
  while (index < start + HALF - 1 && raw[index] === 0) index++
  return index
}

/** A number whose first bit is set would be negative without a zero before it. */
function integerLength(raw: Uint8Array, start: number, end: number): number {
  return end - start + ((raw[start] ?? 0) >= 0x80 ? 1 : 0)
}

/** Writes a number, without the zero that keeps it positive, so that it ends at `end`. */
function copyInteger(integer: Uint8Array, raw: Uint8Array, end: number): void {
  const digits = integer.length > HALF ? integer.subarray(1) : integer
  raw.set(digits, end - digits.length)
}
