// What the samples of docs/client.md for the server use without introducing it.
import type { Application } from 'express'
import type { sessions as express } from './sessions.ts'

declare global {
  var app: Application
  var sessions: typeof express
}
