import { join } from 'node:path'
import { test } from 'vitest'
import { driveExample, examples } from '../support/drive-example.ts'

/** The examples that are one server with `POST /login` and `GET /me`. The other examples have tests of their own. */
const servers = ['express', 'fastify', 'h3', 'hono', 'koa', 'node']

test.each(servers)('the example %s serves sessions', name => (
  driveExample('node', [join(examples, name, 'server.mjs')])
))
