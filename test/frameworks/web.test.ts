import { runFrameworkContract } from '../support/run-framework-contract.ts'
import { serveWeb } from '../support/serve-web.ts'
import { createWebApp } from './apps/web.ts'

runFrameworkContract('web requests on Node', variant => serveWeb(createWebApp(variant)))
