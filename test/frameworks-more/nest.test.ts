import { runFrameworkContract } from '../support/run-framework-contract.ts'
import { startNestApp } from './apps/nest.ts'

runFrameworkContract('Nest on Express', variant => startNestApp('express', variant))
runFrameworkContract('Nest on Fastify', variant => startNestApp('fastify', variant))
