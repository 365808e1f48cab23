import { afterAll, beforeAll, describe } from 'vitest'
import { runFrameworkContract } from '../support/run-framework-contract.ts'
import {
  prepareContractApp, prepareExample, startContractApp, startExampleApp,
} from './support/example-app.ts'
import type { ExampleApp } from './support/example-app.ts'
import { serverRenderingTests } from './support/server-rendering.ts'

runFrameworkContract('SvelteKit', variant => startContractApp('sveltekit', ['build'], variant), () => {
  prepareContractApp('sveltekit')
})

describe('SvelteKit, built by vite build', () => {
  let app: ExampleApp

  beforeAll(async () => {
    prepareExample('sveltekit')
    app = await startExampleApp('sveltekit', ['build'], {
      PROTOCOL_HEADER: 'x-forwarded-proto',
    })
  }, 300_000)

  afterAll(() => app?.stop())

  serverRenderingTests(() => app)
})
