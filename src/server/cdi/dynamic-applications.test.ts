// Requests that arrive while an application is being opened. The test decides their order.
import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import { beforeEach, describe, expect, test } from 'vitest'
import { platform } from '#platform'
import { GeneralError } from '../../base/errors.ts'
import { createPolicy } from '../../session/policy.ts'
import { createMemoryStore } from '../../stores/memory.ts'
import { createApplication } from '../application.ts'
import type { Application } from '../application.ts'
import { RejectedRequest } from '../http/reply.ts'
import { createDynamicApplications } from './dynamic-applications.ts'
import type { DynamicApplications } from './dynamic-applications.ts'

const KEY = 'a-key-that-no-one-guesses'
const keyed = { api_keys: KEY }

interface Opening {
  readonly succeed: (app: Application) => void
  readonly fail: (error: Error) => void
}

let apps: Map<string, Application>
let openings: Opening[]
let closed: Application[]
let dynamicApplications: DynamicApplications
beforeEach(() => {
  apps = new Map([['public', createTestApp()]])
  openings = []
  closed = []
  dynamicApplications = createDynamicApplications({
    apps,
    fixed: new Set(['public', 'shop']),
    open: () => new Promise((succeed, fail) => openings.push({ succeed, fail })),
  })
})

function createTestApp(): Application {
  const { crypto, clock, schedule } = platform
  const app = createApplication({
    maxPayloadBytes: 5000, issuer: 'http://localhost', application: { name: 'default', audience: null },
    store: createMemoryStore(), crypto, clock, schedule, followStoreTime: false, entropy: crypto.randomBytes,
    policy: createPolicy({}), secrets: [], events: {},
  })
  return {
    ...app,
    async close() {
      closed.push(app)
      await app.close()
    },
  }
}

function isAllowed(appId: string, key?: string): boolean {
  const request = new IncomingMessage(new Socket())
  if (key !== undefined) request.headers['api-key'] = key
  return dynamicApplications.isAllowed(request, appId)
}

/** Resolves when everything that does not wait for an application has happened. */
const settled = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

describe('while an application is being opened', () => {
  test('a second call that creates it waits until it is served, and opens no other', async () => {
    const first = dynamicApplications.make('one', {})
    const second = dynamicApplications.make('one', {}).then(isNew => ({ isNew, isServed: apps.has('one') }))
    await expect(Promise.race([second, settled()])).resolves.toBeUndefined()
    openings[0]?.succeed(createTestApp())
    expect(await second).toEqual({ isNew: false, isServed: true })
    expect(await first).toBe(true)
    expect(openings).toHaveLength(1)
  })

  test('if it cannot be opened, all calls that create it are rejected, and a later call tries again', async () => {
    const attempts = [
      dynamicApplications.make('one', {}), dynamicApplications.make('one', {}), dynamicApplications.remove('one'),
    ]
    const outcomes = Promise.allSettled(attempts)
    openings[0]?.fail(new GeneralError('MISUSE', 'no such lifetime'))
    const refused = { status: 'rejected', reason: expect.any(RejectedRequest) }
    expect(await outcomes).toEqual([refused, refused, { status: 'fulfilled', value: false }])
    expect(apps.has('one')).toBe(false)
    const later = dynamicApplications.make('one', {})
    openings[1]?.succeed(createTestApp())
    expect(await later).toBe(true)
  })

  test('a call that removes it waits until it is served, and then removes it', async () => {
    const making = dynamicApplications.make('one', keyed)
    const removing = [dynamicApplications.remove('one'), dynamicApplications.remove('one')]
    openings[0]?.succeed(createTestApp())
    expect(await making).toBe(true)
    expect(await Promise.all(removing)).toEqual([true, false])
    expect(apps.has('one')).toBe(false)
    expect(closed).toHaveLength(1)
  })

  test('ADM-01: its API key is required from the first moment to the last', async () => {
    const making = dynamicApplications.make('one', keyed)
    expect([isAllowed('one'), isAllowed('one', KEY)]).toEqual([false, true])
    const removing = dynamicApplications.remove('one')
    expect(isAllowed('one')).toBe(false)
    openings[0]?.succeed(createTestApp())
    await making
    expect(apps.has('one') && isAllowed('one')).toBe(false)
    await removing
  })

  test('close waits for it and removes it, and no other can be created afterwards', async () => {
    const making = dynamicApplications.make('one', {})
    const closing = dynamicApplications.close()
    await expect(dynamicApplications.make('two', {})).rejects.toThrow(RejectedRequest)
    await expect(Promise.race([closing, settled()])).resolves.toBeUndefined()
    openings[0]?.succeed(createTestApp())
    await Promise.all([making, closing])
    expect([...apps.keys()]).toEqual(['public'])
    expect(closed).toHaveLength(1)
  })
})

test('ADM-01: a served application that is in neither list accepts no request', () => {
  apps.set('unlisted', createTestApp())
  expect([isAllowed('unlisted'), isAllowed('public')]).toEqual([false, true])
})
