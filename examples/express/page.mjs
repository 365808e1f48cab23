// Serves the page: its files, the modules that it imports, and answers in words for what is no route. There is no build
// step: the import map of each document names what its scripts import.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import compression from 'compression'
import express from 'express'
import { isSessionError } from 'keyturn/errors'

const folder = new URL('public/', import.meta.url)
const documents = { '/': 'index.html', '/device': 'device.html' }
const policies = Object.fromEntries(Object.entries(documents).map(([path, file]) => [path, policyOf(file)]))

/** Everything of the page comes from this origin, and no inline script runs but the import map. */
function policyOf(file) {
  const [, map] = /<script type="importmap">([^]*?)<\/script>/.exec(readFileSync(new URL(file, folder), 'utf8'))
  const hash = createHash('sha256').update(map).digest('base64')
  return [
    "default-src 'none'", `script-src 'self' 'sha256-${hash}'`, "style-src 'self'", "connect-src 'self'",
    'img-src data:', "frame-src 'self'", "frame-ancestors 'self'", "base-uri 'none'", "form-action 'none'",
  ].join('; ')
}

/** Serves documents, styles and scripts. */
export function servePage() {
  const router = express.Router()
  router.use(compression())
  router.get(Object.keys(documents), (request, response) => {
    response.set({
      'content-security-policy': policies[request.path],
      'cross-origin-opener-policy': 'same-origin',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-cache',
    })
    response.sendFile(documents[request.path], { root: fileURLToPath(folder) })
  })
  router.use(express.static(fileURLToPath(folder), { index: false }))
  router.use('/keyturn', express.static(fileURLToPath(new URL('.', import.meta.resolve('keyturn')))))
  for (const name of ['preact', 'preact/hooks', '@preact/signals', '@preact/signals-core', 'htm']) {
    const file = fileURLToPath(import.meta.resolve(name))
    router.get(`/modules/${name}.js`, (_request, response) => response.type('text/javascript').sendFile(file))
  }
  return router
}

/** 404, in words. */
export function answerUnknown(request, response) {
  answer(request, response, 404, 'There is nothing at this address.')
}

/** 400 for what cannot be read or stored, with the reason. The errors of sessions are left to their own handler. */
export function answerWithReason(error, request, response, next) {
  if (response.headersSent) next(error)
  else if (error.type === 'entity.parse.failed') answer(request, response, 400, 'The body is not valid JSON.')
  else if (error.code === 'INVALID_DATA') answer(request, response, 400, error.message)
  else if (isSessionError(error)) next(error)
  else if (error.status >= 400 && error.status < 500) answer(request, response, error.status, error.message)
  else {
    console.error(error)
    answer(request, response, 500, 'The server made a mistake. It has written it to its log.')
  }
}

/** JSON for scripts; a page for a person who has typed the address. */
function answer(request, response, status, message) {
  response.status(status).set('cache-control', 'no-store')
  if (request.accepts(['json', 'html']) !== 'html') response.json({ message })
  else {
    response.set('content-security-policy', "default-src 'none'; style-src 'self'; frame-ancestors 'none'")
    response.send(`<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>${status} · Keyturn example</title>
    <link rel="icon" href="data:,">
    <link rel="stylesheet" href="/style.css">
  </head>
  <body>
    <main class="words">
      <h1>${escape(message)}</h1>
      <p>Status ${status}. <a href="/">Go to the example</a></p>
    </main>
  </body>
</html>
`)
  }
}

function escape(text) {
  return text.replace(/[&<>"]/g, character => `&#${character.charCodeAt(0)};`)
}
