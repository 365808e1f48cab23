/** The source of randomness: returns `length` bytes of a cryptographically secure generator (TOK-18). */
export type Entropy = (length: number) => Uint8Array
