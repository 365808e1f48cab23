import { createServer } from 'node:http'
import { toNodeHandler } from 'h3/node'
import { runFrameworkContract } from '../support/run-framework-contract.ts'
import { listen } from '../support/serve-web.ts'
import { createH3App } from './apps/h3.ts'

runFrameworkContract('h3', variant => listen(createServer(toNodeHandler(createH3App(variant)))))
