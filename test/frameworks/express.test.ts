import { createRequire } from 'node:module'
import express from 'express'
import type { RequestHandler } from 'express'
import { runFrameworkContract } from '../support/run-framework-contract.ts'
import { startExpressApp } from './apps/express.ts'
import type { ExpressModule } from './apps/express.ts'

// Only the types of version 5 are installed. The part that the application uses is the same in version 4.
const express4: ExpressModule = createRequire(import.meta.url)('express4')

/** Express 4 does not wait for handlers. */
const catching = (handler: RequestHandler): RequestHandler => async (request, response, next) => {
  try {
    await handler(request, response, next)
  } catch (error) {
    next(error)
  }
}

runFrameworkContract('Express 5', variant => startExpressApp(express, handler => handler, variant))
runFrameworkContract('Express 4', variant => startExpressApp(express4, catching, variant))
