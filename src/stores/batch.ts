import { GeneralError } from '../base/errors.ts'
import { outsideRequests } from '../base/outside-requests.ts'
import { mayShareWork } from '../base/shared-work.ts'
import type { Milliseconds } from '../base/time.ts'
import { runLater } from '../base/timer.ts'
import { atEndOfTick } from './background.ts'

/** A function whose calls are batched. */
export interface Batched<Input, Output> {
  /** Performs the call now, at the end of this tick of the event loop, or when another batch has ended. */
  call(input: Input): Promise<Output>
  /** Starts the calls that wait for the end of the tick now. Resolves once every call has its result. */
  settled(): Promise<void>
}

/** How long a call waits for a batch to end before the next batch begins all the same. */
const PATIENCE: Milliseconds = 100

/**
 * Batches calls: the calls of one tick of the event loop run together when the tick ends, or as soon as there are
 * `most` of them. A commit or a round trip costs as much as the work itself, and many times as much where it waits for
 * the disk. A call runs at once, without a batch, if it is the first of its tick, no other call is in progress and the
 * last batch had one call only. So no call waits long for others, and a failure affects at most `most` calls. `all`
 * returns results in the order of its inputs; a result may be a promise. If `all` fails, all of its calls fail.
 *
 * At most `atOnce` batches run at a time; meanwhile, calls of later ticks join the next one. That is for writes that
 * the database can only do one after the other: to send them at once would occupy connections and share nothing.
 *
 * Calls of several requests run outside of any; a call that runs alone, in the context of its own request. If work may
 * not be shared (`mayShareWork`), every call runs alone: a request whose platform ends it would take the others with
 * it.
 */
export function batch<Input, Output extends object | null>(
  one: (input: Input) => Promise<Output>,
  all: (inputs: readonly Input[]) => Promise<readonly (Output | Promise<Output>)[]>,
  most = 64,
  atOnce: number = Number.POSITIVE_INFINITY,
  isShared: boolean = mayShareWork,
): Batched<Input, Output> {
  return isShared ? batchShared(one, all, most, atOnce) : { call: one, settled: async () => undefined }
}

function batchShared<Input, Output extends object | null>(
  one: (input: Input) => Promise<Output>,
  all: (inputs: readonly Input[]) => Promise<readonly (Output | Promise<Output>)[]>,
  most: number,
  atOnce: number,
): Batched<Input, Output> {
  const waiting: Waiting<Input, Output>[] = []
  let unanswered = 0
  let running = 0
  let isShared = false
  let ticking = false
  let isPatient = false
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
    proceed()
  }

  /** Starts the calls that wait, as far as batches may run. */
  function proceed(): void {
    while (waiting.length > 0 && running < atOnce) start()
    if (waiting.length === 0 || isPatient) return
    isPatient = true
    runLater(() => {
      isPatient = false
      while (waiting.length > 0) start()
    }, PATIENCE)
  }

  function start(): void {
    const calls = waiting.splice(0, most)
    const [first] = calls
    isShared = calls.length > 1
    if (isShared || first === undefined) {
      track(outsideRequests(() => answer(calls)))
      return
    }
    first.resolve(ALONE)
    track(first.answer)
  }

  function track(work: Promise<unknown>): void {
    running += 1
    const release = (): void => {
      running -= 1
      if (!ticking) proceed()
    }
    work.then(release, release)
  }

  function wait(input: Input): Waiting<Input, Output> {
    let resolve: Waiting<Input, Output>['resolve'] = () => undefined
    let reject: Waiting<Input, Output>['reject'] = () => undefined
    const told = new Promise<Output | typeof ALONE>((...functions) => {
      [resolve, reject] = functions
    })
    // The handler runs in the context of this call.
    const answer = told.then(output => output === ALONE ? one(input) : output)
    return { input, answer, resolve, reject }
  }

  /** Resolves when the next batch may begin: results that are promises have not been waited for. */
  async function answer(calls: readonly Waiting<Input, Output>[]): Promise<void> {
    try {
      const outputs = await all(calls.map(({ input }) => input))
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
      if (unanswered === 0 && !isShared && !ticking) {
        const answer = one(input)
        track(answer)
        return begin(answer)
      }
      const waiter = wait(input)
      if (waiting.push(waiter) >= most && running < atOnce) start()
      return begin(waiter.answer)
    },
    async settled() {
      while (waiting.length > 0) start()
      if (unanswered > 0) await new Promise<void>(resolve => settling.push(resolve))
    },
  }
}

/** Tells a call that it is a batch of its own. */
const ALONE: unique symbol = Symbol('alone')

interface Waiting<Input, Output> {
  readonly input: Input
  /** The result. */
  readonly answer: Promise<Output>
  resolve(output: Output | Promise<Output> | typeof ALONE): void
  reject(error: unknown): void
}
