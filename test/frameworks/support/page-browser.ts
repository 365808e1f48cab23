import { HttpClient } from '../../support/http-client.ts'
import type { Reply } from '../../support/http-client.ts'
import type { ExampleApp } from './example-app.ts'

/** The headers of a browser for an address that the user typed. */
export const navigation = { 'sec-fetch-site': 'none', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }

/** The header of a proxy, for servers that otherwise assume https. */
export const viaProxy = { 'x-forwarded-proto': 'http' }

/** A browser without scripts, for an application that renders pages. */
export class PageBrowser {
  readonly client: HttpClient
  readonly #origin: string

  constructor({ port, origin, now }: ExampleApp) {
    this.client = new HttpClient(port, origin, now)
    this.#origin = origin
  }

  /** The headers of a browser for a request of a page of the application. */
  get fromPage(): Record<string, string> {
    return { 'sec-fetch-site': 'same-origin', origin: this.#origin }
  }

  open(path = '/', headers: Record<string, string> = navigation): Promise<Reply> {
    return this.client.send('GET', path, { headers: { ...viaProxy, ...headers } })
  }

  post(path: string, headers: Record<string, string> = this.fromPage): Promise<Reply> {
    return this.client.send('POST', path, { headers: { ...viaProxy, ...headers } })
  }

  refresh(): Promise<Reply> {
    return this.post('/auth/session/refresh')
  }

  /** Calls a server action of Next.js without arguments, as a script of the page at the path `at` does. */
  async call(action: string, at: string): Promise<Reply> {
    return this.client.send('POST', at, {
      headers: {
        ...viaProxy, ...this.fromPage, 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty', accept: 'text/x-component',
        'content-type': 'text/plain;charset=UTF-8', referer: this.#origin + at, 'next-action': action,
      },
      body: [],
    })
  }

  /** Submits the form of the page at the path `at` that has this button. */
  async submit(page: Reply, button: string, fields: Record<string, string> = {}, at = '/'): Promise<Reply> {
    const form = page.body.split('<form').find(text => text.includes(`>${button}<`)) ?? ''
    const action = /^[^>]* action="([^"]*)"/.exec(form)?.[1] ?? ''
    const body = new FormData()
    const hidden = form.matchAll(/<input type="hidden" name="([^"]+)"(?: value="([^"]*)")?/g)
    for (const [, name = '', value = ''] of hidden) body.append(name, value)
    for (const [name, value] of Object.entries(fields)) body.append(name, value)
    const address = new URL(at, this.#origin)
    const response = await fetch(new URL(action, address), {
      method: 'POST',
      body,
      redirect: 'manual',
      headers: {
        ...viaProxy,
        ...this.fromPage,
        'sec-fetch-mode': 'navigate',
        referer: address.href,
        accept: 'text/html',
        cookie: this.client.jar.map(({ name, value }) => `${name}=${value}`).join('; '),
      },
    })
    for (const line of response.headers.getSetCookie()) this.client.keep(line)
    return {
      status: response.status,
      headers: Object.fromEntries(response.headers),
      setCookies: response.headers.getSetCookie(),
      body: await response.text(),
    }
  }
}

/** The state of the session that a page of an example shows. */
export function stateOf({ body }: Reply): string {
  return /<p id="state">([^<]*)<\/p>/.exec(body)?.[1] ?? body
}
