import { runFrameworkContract } from '../support/run-framework-contract.ts'
import { serveWeb } from '../support/serve-web.ts'
import { createHonoApp } from './apps/hono.ts'

runFrameworkContract('Hono', variant => serveWeb(createHonoApp(variant)))
