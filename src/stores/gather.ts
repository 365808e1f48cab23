import { GeneralError } from '../base/errors.ts'

/** Calls that are gathered. */
export interface Gathered<Input, Output> {
  /** Does it now, or at the end of this turn of the event loop. */
  call(input: Input): Promise<Output>
  /** Does now what was left for the end of the turn. */
  flush(): void
}

// Taken while it is the platform's own: a test that puts its clock in the place of timers must not stop the store.
const atEndOfTurn = setImmediate

/** How many calls are done together at most: one must not wait long for the others, nor fail with too many. */
const MOST = 64

/**
 * Does the first call of an event-loop turn at once, and all others of that turn together when it ends: a commit or a
 * round trip costs as much as the work itself, and many times as much where it waits for the disk. A lonely call waits
 * for nobody. `all` answers in the order of its inputs, where an answer may be a promise; if it fails, all of them do.
 */
export function gather<Input, Output extends object | null>(
  one: (input: Input) => Promise<Output>,
  all: (inputs: readonly Input[]) => Promise<readonly (Output | Promise<Output>)[]>,
): Gathered<Input, Output> {
  let waiting: Waiting<Input, Output>[] = []
  let within = false

  function flush(): void {
    const calls = waiting
    waiting = []
    for (let from = 0; from < calls.length; from += MOST) answer(calls.slice(from, from + MOST))
  }

  function answer(calls: readonly Waiting<Input, Output>[]): void {
    const [first] = calls
    if (first === undefined) return
    if (calls.length === 1) first.resolve(one(first.input))
    else void answerAll(calls)
  }

  async function answerAll(calls: readonly Waiting<Input, Output>[]): Promise<void> {
    try {
      const outputs = await all(calls.map(({ input }) => input))
      for (const [index, { resolve, reject }] of calls.entries()) {
        const output = outputs[index]
        if (output === undefined) reject(new GeneralError('unavailable', 'the store left a call without an answer'))
        else resolve(output)
      }
    } catch (error) {
      for (const { reject } of calls) reject(error)
    }
  }

  return {
    call(input) {
      if (within) return new Promise((resolve, reject) => waiting.push({ input, resolve, reject }))
      within = true
      atEndOfTurn(() => {
        within = false
        flush()
      })
      return one(input)
    },
    flush,
  }
}

interface Waiting<Input, Output> {
  readonly input: Input
  resolve(output: Output | Promise<Output>): void
  reject(error: unknown): void
}
