import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { isolateHost, longLivedHost, shareOn } from './host.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
})

afterEach(() => {
  vi.useRealTimers()
})

/** Work that the test ends, or does not. */
function startWork(): { work: () => Promise<number>; readonly started: number; end(value: number): void } {
  const ends: ((value: number) => void)[] = []
  return {
    work: () => new Promise(resolve => ends.push(resolve)),
    get started() {
      return ends.length
    },
    end: value => ends.at(-1)?.(value),
  }
}

describe('in an isolate', () => {
  test('EDGE-01: concurrent calls share work, which is given to the platform', async () => {
    const kept: Promise<unknown>[] = []
    const { work, end } = startWork()
    const shared = shareOn(isolateHost(each => void kept.push(each)), work)
    const answers = [shared.run(), shared.run()]
    expect([kept.length, shared.isRunning()]).toEqual([1, true])
    end(7)
    expect(await Promise.all(answers)).toEqual([7, 7])
    expect(shared.isRunning()).toBe(false)
  })

  test('EDGE-01: a call waits for a second for work that never ends, then does its own; later calls join that', async () => {
    const source = startWork()
    const shared = shareOn(isolateHost(() => undefined), source.work)
    void shared.run()
    const joined = shared.run()
    await vi.advanceTimersByTimeAsync(999)
    expect([source.started, shared.isRunning()]).toEqual([1, true])
    await vi.advanceTimersByTimeAsync(1)
    expect(source.started).toBe(2)
    const later = shared.run()
    source.end(8)
    expect(await Promise.all([joined, later])).toEqual([8, 8])
    expect(source.started).toBe(2)
  })

  test('EDGE-01: work that has been lost for a second is not joined at all', async () => {
    const source = startWork()
    const shared = shareOn(isolateHost(() => undefined), source.work)
    void shared.run()
    await vi.advanceTimersByTimeAsync(1_000)
    expect(shared.isRunning()).toBe(false)
    const own = shared.run()
    source.end(9)
    expect(await own).toBe(9)
  })

  test('EDGE-01: an error reaches every caller, and the platform none', async () => {
    const kept: Promise<unknown>[] = []
    const shared = shareOn(isolateHost(each => void kept.push(each)), async () => {
      throw new Error('refused')
    })
    const answers = [shared.run(), shared.run()]
    for (const answer of answers) await expect(answer).rejects.toThrow('refused')
    await expect(Promise.all(kept)).resolves.toEqual([undefined])
  })

  test('EDGE-03: a platform that takes no work outside of a request changes nothing', async () => {
    const host = isolateHost(() => {
      throw new Error('no request')
    })
    expect(await shareOn(host, async () => 1).run()).toBe(1)
  })

  test('EDGE-01: if the platform says that the work of another request never ends, the call does its own at once', async () => {
    const source = startWork()
    const kept: Promise<unknown>[] = []
    const shared = shareOn(isolateHost(work => void kept.push(work)), source.work)
    void shared.run()
    // As workerd does with a promise of a request that has ended.
    const then = vi.spyOn(Promise.prototype, 'then').mockImplementationOnce(() =>
      Promise.reject(new Error('never settles'))
    )
    const joined = shared.run()
    then.mockRestore()
    await vi.advanceTimersByTimeAsync(0)
    expect(source.started).toBe(2)
    source.end(6)
    expect(await joined).toBe(6)
  })
})

describe('on a host where promises outlive requests', () => {
  test('calls share work for as long as it takes', async () => {
    const source = startWork()
    const shared = shareOn(longLivedHost, source.work)
    const answers = [shared.run(), shared.run()]
    await vi.advanceTimersByTimeAsync(60_000)
    const late = shared.run()
    source.end(5)
    expect(await Promise.all([...answers, late])).toEqual([5, 5, 5])
    expect(source.started).toBe(1)
  })
})
