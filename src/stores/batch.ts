import { GeneralError } from '../base/errors.ts'
import { atEndOfTick } from './background.ts'

/** A function whose calls are batched. */
export interface Batched<Input, Output> {
  /** Performs the call now, or at the end of this tick of the event loop. */
  call(input: Input): Promise<Output>
  /** Starts the calls that wait for the end of the tick now. Resolves once every call has its result. */
  settled(): Promise<void>
}

/**
 * Batches calls: the calls of one tick of the event loop run together when the tick ends, or as soon as there are
 * `most` of them. A commit or a round trip costs as much as the work itself, and many times as much where it waits for
 * the disk. A call runs at once, without a batch, if it is the first of its tick, no other call is in progress and the
 * last batch had one call only. So no call waits long for others, and a failure affects at most `most` calls. `all`
 * returns results in the order of its inputs; a result may be a promise. If `all` fails, all of its calls fail.
 */
export function batch<Input, Output extends object | null>(
  one: (input: Input) => Promise<Output>,
  all: (inputs: readonly Input[]) => Promise<readonly (Output | Promise<Output>)[]>,
  most = 64,
): Batched<Input, Output> {
  let waiting: Waiting<Input, Output>[] = []
  let unanswered = 0
  let isShared = false
  let ticking = false
  let settling: (() => void)[] = []

  function begin(answer: Promise<Output>): Promise<Output> {
    unanswered += 1
    answer.then(ended, ended)
    if (!ticking) {
      ticking = true
      atEndOfTick(endTick)
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

  function endTick(): void {
    ticking = false
    flush()
  }

  function flush(): void {
    const calls = waiting
    waiting = []
    if (calls.length > 0) void answer(calls)
  }

  async function answer(calls: readonly Waiting<Input, Output>[]): Promise<void> {
    isShared = calls.length > 1
    try {
      const outputs = isShared ? await all(calls.map(({ input }) => input)) : calls.map(({ input }) => one(input))
      for (const [index, { resolve, reject }] of calls.entries()) {
        const output = outputs[index]
        if (output === undefined) reject(new GeneralError('STORE_UNAVAILABLE', 'the store returned no result'))
        else resolve(output)
      }
    } catch (error) {
      for (const { reject } of calls) reject(error)
    }
  }

  return {
    call(input) {
      if (unanswered === 0 && !isShared && !ticking) return begin(one(input))
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
