import { GeneralError } from '../base/errors.ts'

/** Calls that are gathered. */
export interface Batched<Input, Output> {
  /** Does it now, or at the end of this turn of the event loop. */
  call(input: Input): Promise<Output>
  /** Begins now what was left for the end of the turn, and resolves once every call has its answer. */
  settled(): Promise<void>
}

// Taken while it is the platform's own: a test that puts its clock in the place of timers must not stop the store. A
// member, since runtimes without it load this file too, beside a store that needs none.
const atEndOfTick = globalThis.setImmediate

/**
 * Does the calls of one turn of the event loop together when it ends, or as soon as there are `most` of them: a commit
 * or a round trip costs as much as the work itself, and many times as much where it waits for the disk. A lonely call,
 * the first of its turn that comes when none is under way and the last one had no company, is done at once. No call
 * waits long for others, nor fails with too many. `all` answers in the order of its inputs, where an answer may be a
 * promise; if it fails, all of them do.
 */
export function batch<Input, Output extends object | null>(
  one: (input: Input) => Promise<Output>,
  all: (inputs: readonly Input[]) => Promise<readonly (Output | Promise<Output>)[]>,
  most = 64,
): Batched<Input, Output> {
  let waiting: Waiting<Input, Output>[] = []
  let unanswered = 0
  let company = false
  let turn = false
  let settling: (() => void)[] = []

  function begin(answer: Promise<Output>): Promise<Output> {
    unanswered += 1
    answer.then(ended, ended)
    if (!turn) {
      turn = true
      atEndOfTick(endTurn)
    }
    return answer
  }

  function ended(): void {
    unanswered -= 1
    if (unanswered > 0) return
    const waiters = settling
    settling = []
    for (const resolve of waiters) resolve()
  }

  function endTurn(): void {
    turn = false
    flush()
  }

  function flush(): void {
    const calls = waiting
    waiting = []
    if (calls.length > 0) void answer(calls)
  }

  async function answer(calls: readonly Waiting<Input, Output>[]): Promise<void> {
    company = calls.length > 1
    try {
      const outputs = company ? await all(calls.map(({ input }) => input)) : calls.map(({ input }) => one(input))
      for (const [index, { resolve, reject }] of calls.entries()) {
        const output = outputs[index]
        if (output === undefined) reject(new GeneralError('STORE_UNAVAILABLE', 'the store left a call without an answer'))
        else resolve(output)
      }
    } catch (error) {
      for (const { reject } of calls) reject(error)
    }
  }

  return {
    call(input) {
      if (unanswered === 0 && !company && !turn) return begin(one(input))
      return begin(new Promise((resolve, reject) => {
        if (waiting.push({ input, resolve, reject }) === most) flush()
      }))
    },
    async settled() {
      flush()
      if (unanswered > 0) await new Promise<void>(resolve => settling.push(resolve))
    },
  }
}

interface Waiting<Input, Output> {
  readonly input: Input
  resolve(output: Output | Promise<Output>): void
  reject(error: unknown): void
}
