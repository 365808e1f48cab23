import { describe, expect, test } from 'vitest'
import { reauthenticateWith } from '../../src/client/reauthenticate.ts'
import { createStepUp } from '../../src/client/step-up.ts'
import type { StepUp } from '../../src/client/step-up.ts'
import { stepUpStore } from '../../src/client/svelte.ts'
import { settle } from './support/browser.ts'
import { createWorld, logIn } from './support/world.ts'
import type { World } from './support/world.ts'

type Proofs = 'auth_time' | 'second-factor'

interface Asking extends World {
  readonly client: ReturnType<World['open']>['client']
  readonly stepUp: StepUp<Proofs, string>
  /** The ids that the user was asked, in order; null for the end of a question. */
  readonly shown: (string | null)[]
  /** The paths and statuses of the requests since the login that is too old for `/recent`. */
  sent(): readonly string[]
}

/** A page whose user has logged in six minutes ago. */
async function open(): Promise<Asking> {
  const world = createWorld()
  const { client } = world.open()
  await logIn(client)
  await world.pass(360_000)
  const from = world.api.seen.length
  const stepUp = createStepUp(client, {
    auth_time: (password: string) => reauthenticateWith(client, '/reauthenticate', { method: 'POST', body: password }),
    'second-factor': (code: string) => client.fetch('/code', { method: 'POST', body: code }),
  })
  const shown: (string | null)[] = []
  stepUp.onChange(() => {
    const id = stepUp.question()?.id ?? null
    if (id !== shown.at(-1)) shown.push(id)
  })
  const sent = (): readonly string[] => world.api.seen.slice(from).map(({ path, status }) => `${path} ${status}`)
  return { ...world, client, stepUp, shown, sent }
}

/** The refusal of a route whose claim validator is not satisfied. */
const missing = (...ids: readonly string[]): Response => Response.json({
  message: 'invalid claim', claimValidationErrors: ids.map(id => ({ id, reason: { message: 'expired' } })),
}, { status: 403 })

describe('B-15: a step-up', () => {
  test('asks for the proof that a route requires, and repeats the request with its body', async () => {
    const { api, stepUp, shown, sent } = await open()
    const answered = stepUp.fetch('/recent', { method: 'PUT', body: 'a new address' })
    await settle()
    expect(stepUp.question()).toEqual({
      id: 'auth_time', isSending: false, refusal: null,
      reason: { message: 'expired', ageInSeconds: 360, maxAgeInSeconds: 300 },
    })
    const proven = stepUp.prove('correct horse')
    expect(stepUp.question()).toMatchObject({ isSending: true })
    expect(await stepUp.prove('a second click')).toBe(false)
    expect(await proven).toBe(true)
    expect(await (await answered).json()).toEqual({ userId: 'ada', echo: 'a new address' })
    expect(stepUp.question()).toBeNull()
    expect(shown).toEqual(['auth_time', null])
    expect(sent()).toEqual(['/recent 403', '/reauthenticate 200', '/recent 200'])
    expect(api.seen.filter(({ path }) => path === '/recent').map(({ body }) => body))
      .toEqual(['a new address', 'a new address'])
  })

  test('says why a proof was not accepted, and asks again', async () => {
    const { api, stepUp } = await open()
    const answered = stepUp.fetch('/recent')
    await settle()
    const answers: (() => Response)[] = [
      () => Response.json({ message: 'wrong password' }, { status: 400 }),
      () => Response.json({ message: 'too often' }, { status: 429, headers: { 'retry-after': '7' } }),
      () => new Response('<h1>Bad gateway</h1>', { status: 502 }),
      () => {
        throw new TypeError('offline')
      },
    ]
    api.between = async ({ url }) => url.endsWith('/reauthenticate') ? answers.shift()?.() ?? null : null
    const refusals: unknown[] = []
    while (answers.length > 0) {
      expect(await stepUp.prove('wrong')).toBe(false)
      expect(stepUp.question()).toMatchObject({ id: 'auth_time', isSending: false })
      refusals.push(stepUp.question()?.refusal)
    }
    expect(refusals).toEqual([
      { status: 400, message: 'wrong password', retryAfter: null },
      { status: 429, message: 'too often', retryAfter: 7 },
      { status: 502, message: null, retryAfter: null },
      { status: null, message: null, retryAfter: null, error: new TypeError('offline') },
    ])
    expect(await stepUp.prove('correct horse')).toBe(true)
    expect((await answered).status).toBe(200)
  })

  test('that the user cancels resolves to the refusal, which can be read', async () => {
    const { stepUp, sent } = await open()
    const answered = stepUp.fetch('/recent')
    await settle()
    stepUp.cancel()
    const response = await answered
    expect([response.status, await response.json()]).toEqual([403, {
      message: 'invalid claim', claimValidationErrors: [{ id: 'auth_time', reason: expect.anything() }],
    }])
    expect([stepUp.question(), sent(), await stepUp.prove('late')]).toEqual([null, ['/recent 403'], false])
  })

  test('asks once for several requests, and one question after the other', async () => {
    const { api, stepUp, shown, sent } = await open()
    let isCodeGiven = false
    api.between = async ({ url }) => {
      if (url.endsWith('/code')) isCodeGiven = true
      if (url.endsWith('/code')) return Response.json({})
      if (!url.endsWith('/delete')) return null
      return isCodeGiven ? Response.json({ gone: true }) : missing('other', 'second-factor')
    }
    const answered = [stepUp.fetch('/recent?1'), stepUp.fetch('/recent?2')]
    await settle()
    answered.push(stepUp.fetch('/delete'))
    await settle()
    await stepUp.prove('correct horse')
    await stepUp.prove('123456')
    expect((await Promise.all(answered)).map(({ status }) => status)).toEqual([200, 200, 200])
    expect(shown).toEqual(['auth_time', 'second-factor', null])
    expect(sent().filter(each => /reauth|code/.test(each))).toEqual(['/reauthenticate 200', '/code 200'])
  })

  test('that is aborted rejects; the question stays as long as another request waits', async () => {
    const { stepUp } = await open()
    const giveUp = new AbortController()
    const first = stepUp.fetch('/recent?1', { signal: giveUp.signal }).catch((reason: unknown) => reason)
    const second = new AbortController()
    const other = stepUp.fetch(new Request('https://app.example.com/recent?2', { signal: second.signal }))
      .catch(({ name }: Error) => name)
    await settle()
    giveUp.abort('given up')
    expect(await first).toBe('given up')
    expect(stepUp.question()).not.toBeNull()
    second.abort()
    expect(await other).toBe('AbortError')
    expect(stepUp.question()).toBeNull()
  })

  test.each([
    ['another login', (client: Asking['client']) => logIn(client, 'bob')],
    ['a sign-out', (client: Asking['client']) => client.signOut()],
  ])('ends with its user: %s repeats no request, in whatever tab it happens', async (_, end) => {
    const { open: openTab, pass, stepUp, sent } = await open()
    const answered = stepUp.fetch('/recent')
    await settle()
    await end(openTab().client)
    await pass(1)
    expect(stepUp.question()).toBeNull()
    expect((await answered).status).toBe(403)
    expect(sent().filter(each => each.startsWith('/recent'))).toEqual(['/recent 403'])
  })

  test('leaves other answers alone, and streams, which cannot be sent again', async () => {
    const { api, stepUp } = await open()
    const answers = [
      missing('other'), Response.json({ claimValidationErrors: 'x' }, { status: 403 }),
      new Response('no', { status: 403 }), Response.json(null, { status: 500 }), Response.json({}),
      missing('auth_time'),
    ]
    const expected = answers.map(({ status }) => status)
    api.between = async () => answers.shift() ?? null
    const statuses: number[] = []
    for (const _ of expected.slice(1)) statuses.push((await stepUp.fetch('/thing')).status)
    const body = new Blob(['x']).stream()
    const init: RequestInit & { duplex: 'half' } = { method: 'POST', body, duplex: 'half' }
    statuses.push((await stepUp.fetch('https://app.example.com/thing', init)).status)
    expect([statuses, stepUp.question()]).toEqual([expected, null])
  })

  test('is a store for Svelte', async () => {
    const { stepUp } = await open()
    const ids: unknown[] = []
    const stop = stepUpStore(stepUp).subscribe(question => ids.push(question?.id ?? null))
    const answered = stepUp.fetch('/recent')
    await settle()
    stepUp.cancel()
    stop()
    void stepUp.fetch('/recent')
    await settle()
    expect(ids).toEqual([null, 'auth_time', null])
    await answered
  })
})
