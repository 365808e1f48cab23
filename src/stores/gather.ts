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

/**
 * Does the calls of one turn of the event loop together when it ends, or as soon as there are `most` of them: a commit
 * or a round trip costs as much as the work itself, and many times as much where it waits for the disk. A lonely call,
 * which comes when none is under way and none had company before it, is done at once. No call waits long for others,
 * nor fails with too many. `all` answers in the order of its inputs, where an answer may be a promise; if it fails, all
 * of them do.
 */
export function gather<Input, Output extends object | null>(
  one: (input: Input) => Promise<Output>,
  all: (inputs: readonly Input[]) => Promise<readonly (Output | Promise<Output>)[]>,
  most = 64,
): Gathered<Input, Output> {
  let waiting: Waiting<Input, Output>[] = []
  let underWay = 0
  let company = false

  function ended(): void {
    underWay -= 1
  }

  function begin<Answer>(answer: Promise<Answer>): Promise<Answer> {
    underWay += 1
    answer.then(ended, ended)
    return answer
  }

  function flush(): void {
    const calls = waiting
    const [first] = calls
    waiting = []
    if (first === undefined) return
    company = calls.length > 1
    if (company) void begin(answerAll(calls))
    else first.resolve(begin(one(first.input)))
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
      if (!company && underWay === 0 && waiting.length === 0) return begin(one(input))
      return new Promise((resolve, reject) => {
        waiting.push({ input, resolve, reject })
        if (waiting.length === 1) atEndOfTurn(flush)
        if (waiting.length === most) flush()
      })
    },
    flush,
  }
}

interface Waiting<Input, Output> {
  readonly input: Input
  resolve(output: Output | Promise<Output>): void
  reject(error: unknown): void
}
