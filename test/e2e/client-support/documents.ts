/**
 * The news of a tab lag behind its lock for longer, where something else has the processor, than the client allows for:
 * its shortest pauses are ten times as long.
 */
export const unhurried = `{
  const { setTimeout } = globalThis
  globalThis.setTimeout = (task, delay, ...input) => setTimeout(task, delay < 100 ? 10 * delay : delay, ...input)
}`

const html = (script: string): string =>
  `<!doctype html><title>Client</title><link rel="icon" href="data:,"><div id="app"></div><script>${script}</script>`

const startClient = (options: string): string => `
  window.heard = []
  window.client = keyturn.createClient(${options})
  client.onChange(({ session }) => heard.push(session && session.userId))`

const document = (options: string): { type: string; content: string } => ({
  type: 'text/html',
  content: html(`${unhurried}</script><script src="/client.js"></script><script>${startClient(options)}`),
})

const worker = (condition: string): { type: string; content: string } => ({
  type: 'text/javascript',
  content: `${unhurried}
    importScripts('/client.js')
    const client = keyturn.createClient()
    addEventListener('install', event => event.waitUntil(skipWaiting()))
    addEventListener('activate', event => event.waitUntil(clients.claim()))
    addEventListener('fetch', event => {
      const { pathname } = new URL(event.request.url)
      if (${condition}) event.respondWith(client.fetch(event.request))
    })`,
})

/** The documents and scripts of the application, by path. */
export const pages: Readonly<Record<string, { type: string; content: string }>> = {
  '/': document('{}'),
  '/header': document(`{ mode: 'header' }`),
  '/elsewhere': { type: 'text/html', content: html('') },
  '/worker': { type: 'text/html', content: html('') },
  // The recipe of the documentation, and one that takes every request.
  '/sw.js': worker(`pathname === '/me' || pathname === '/login'`),
  '/sw-all.js': worker('true'),
}
