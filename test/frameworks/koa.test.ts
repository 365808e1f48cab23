import { runFrameworkContract } from '../support/run-framework-contract.ts'
import { startKoaApp } from './apps/koa.ts'

runFrameworkContract('Koa', startKoaApp)
