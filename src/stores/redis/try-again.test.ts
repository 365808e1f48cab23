import { expect, test } from 'vitest'
import { tryAgain } from './try-again.ts'

/** Answers with these errors, one after the other, then with `done`. */
function sender(errors: readonly string[]): { readonly send: () => Promise<string>; readonly sent: () => number } {
  let count = 0
  return {
    async send() {
      const message = errors[count++]
      if (message !== undefined) throw new Error(message)
      return 'done'
    },
    sent: () => count,
  }
}

test.each([
  'TRYAGAIN Multiple keys request during rehashing of slot', 'CLUSTERDOWN The cluster is down',
])('E-05: a command that the cluster refuses for the moment is sent again after 100 ms (%s)', async message => {
  const waits: number[] = []
  const { send, sent } = sender([message, message, message])
  expect(await tryAgain(send, async duration => { waits.push(duration) })).toBe('done')
  expect([sent(), waits]).toEqual([4, [100, 100, 100]])
})

test('E-05: a command is sent again 16 times at most', async () => {
  const { send, sent } = sender(Array.from({ length: 100 }, () => 'TRYAGAIN Multiple keys request'))
  await expect(tryAgain(send, async () => undefined)).rejects.toThrow(/^TRYAGAIN/)
  expect(sent()).toBe(17)
})

test.each(['READONLY no', 'LOADING no', 'BUSY no', 'MASTERDOWN no', 'ERR TRYAGAIN', 'Connection is closed.'])(
  'what may have been executed, or takes longer, is not sent again (%s)', async message => {
    const { send, sent } = sender([message])
    await expect(tryAgain(send, async () => undefined)).rejects.toThrow(message)
    expect(sent()).toBe(1)
  })
