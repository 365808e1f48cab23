/** How much longer the longer of two inputs is. */
const TIMES = 8

/** More than linear work takes for 8 times the input, caches and all. Quadratic work takes 64 times as long. */
export const LINEAR = 24

/**
 * How many times as long the work takes for an input of 8 times the length. Both are done again and again and the least
 * that each took is compared, at most 20 times and until it is {@link LINEAR}: what else the machine does is not
 * counted.
 */
export async function growth<Input>(
  length: number,
  inputOf: (length: number) => Input,
  work: (input: Input) => unknown,
): Promise<number> {
  const timed = async (input: Input): Promise<number> => {
    const begun = performance.now()
    await work(input)
    return performance.now() - begun
  }
  const [shorter, longer] = [inputOf(length), inputOf(TIMES * length)]
  let [short, long] = [Infinity, Infinity]
  for (let round = 0; round < 5 || (round < 20 && long / short >= LINEAR); round++) {
    short = Math.min(short, await timed(shorter))
    long = Math.min(long, await timed(longer))
  }
  return long / short
}
