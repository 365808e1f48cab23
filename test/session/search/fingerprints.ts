// Memory for millions of states: a set of texts by 64 bits of each, and a growing array of integers.

/** A set of texts that stores only their fingerprints. */
export interface Fingerprints {
  /** Whether the text is new. The probability that two of ten million texts have the same is about 1 in 370,000. */
  add(text: string): boolean
}

export function createFingerprints(): Fingerprints {
  let mask = 0xffff
  let size = 0
  let high = new Uint32Array(mask + 1)
  let low = new Uint32Array(mask + 1)

  function put(one: number, other: number): boolean {
    let index = (one ^ Math.imul(other, 0x9e3779b1)) & mask
    while (high[index] !== 0) {
      if (high[index] === one && low[index] === other) return false
      index = (index + 1) & mask
    }
    high[index] = one
    low[index] = other
    size++
    return true
  }

  function grow(): void {
    const [oldHigh, oldLow] = [high, low]
    mask = mask * 2 + 1
    size = 0
    high = new Uint32Array(mask + 1)
    low = new Uint32Array(mask + 1)
    oldHigh.forEach((one, index) => {
      if (one !== 0) put(one, oldLow[index] ?? 0)
    })
  }

  return {
    add(text) {
      // cyrb53 without its last step, which shortens 64 bits to 53.
      let one = 0xdeadbeef
      let other = 0x41c6ce57
      for (let index = 0; index < text.length; index++) {
        const code = text.charCodeAt(index)
        one = Math.imul(one ^ code, 2654435761)
        other = Math.imul(other ^ code, 1597334677)
      }
      one = Math.imul(one ^ (one >>> 16), 2246822507) ^ Math.imul(other ^ (other >>> 13), 3266489909)
      other = Math.imul(other ^ (other >>> 16), 2246822507) ^ Math.imul(one ^ (one >>> 13), 3266489909)
      if (size * 2 > mask) grow()
      return put((one >>> 0) || 1, other >>> 0)
    },
  }
}

/** An array of integers of 32 bits. */
export interface Integers {
  push(value: number): void
  at(index: number): number
  length(): number
}

export function createIntegers(): Integers {
  let values = new Int32Array(1 << 16)
  let length = 0
  return {
    push(value) {
      if (length === values.length) {
        const grown = new Int32Array(length * 2)
        grown.set(values)
        values = grown
      }
      values[length++] = value
    },
    at: index => values[index] ?? 0,
    length: () => length,
  }
}
