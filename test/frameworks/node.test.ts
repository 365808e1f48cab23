import { runFrameworkContract } from '../support/run-framework-contract.ts'
import { startNodeApp } from './apps/node.ts'

runFrameworkContract('node:http', startNodeApp)
