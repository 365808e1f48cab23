import { runFrameworkContract } from '../support/run-framework-contract.ts'
import { startFastifyApp } from './apps/fastify.ts'

runFrameworkContract('Fastify', startFastifyApp)
