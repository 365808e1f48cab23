import { createServer } from 'node:http'
import { build } from 'esbuild'
import type { BrowserContext, Page } from 'playwright-core'
import { freePort } from '../../support/servers/workspace.ts'

declare global {
  /** The published package, in a page. */
  var supertokens: typeof import('supertokens-website')
  /** The events that the page got from the package, in order. */
  var sessionEvents: string[]
}

/** How the package sends the tokens. */
export type TransferMethod = 'cookie' | 'header'

/** Settings of the package. */
export interface SdkSettings {
  readonly bundle: string
  /** The origin of the API. */
  readonly apiDomain: string
  readonly method: TransferMethod
}

/** The session as the package sees it. */
export interface SessionView {
  readonly exists: boolean
  readonly userId: string | null
  readonly payload: Record<string, unknown> | null
}

/** A server of an empty page: a front end on another origin than the API. */
export interface FrontEnd {
  readonly origin: string
  close(): Promise<void>
}

/** Starts the front end's server. */
export async function startFrontEnd(host: 'localhost' | '127.0.0.1'): Promise<FrontEnd> {
  const port = await freePort()
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html')
    response.end('<!doctype html><title>Front end</title>')
  })
  await new Promise<void>(resolve => server.listen(port, '127.0.0.1', resolve))
  return {
    origin: `http://${host}:${port}`,
    close: () => new Promise(resolve => {
      server.close(() => resolve())
      server.closeAllConnections()
    }),
  }
}

/** The published package `supertokens-website`, unchanged, as a script that a page can load. */
export async function bundleFrontEndSdk(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: ['supertokens-website'],
    bundle: true,
    format: 'iife',
    globalName: 'supertokens',
    platform: 'browser',
    write: false,
  })
  return outputFiles.map(({ text }) => text).join('\n')
}

/** A tab whose page uses the package. */
export class SdkTab {
  readonly page: Page

  private constructor(page: Page) {
    this.page = page
  }

  /** Opens a tab at `url` and starts the package in it. */
  static async open(profile: BrowserContext, url: string, { bundle, apiDomain, method }: SdkSettings): Promise<SdkTab> {
    const page = await profile.newPage()
    await page.goto(url)
    await page.addScriptTag({ content: bundle })
    await page.evaluate(([apiDomain, tokenTransferMethod]) => {
      globalThis.sessionEvents = []
      supertokens.init({
        apiDomain,
        tokenTransferMethod,
        onHandleEvent: event => {
          const ended = 'sessionExpiredOrRevoked' in event && event.sessionExpiredOrRevoked
          sessionEvents.push(event.action + (ended ? ': expired or revoked' : ''))
        },
      })
    }, [apiDomain, method] as const)
    return new SdkTab(page)
  }

  /**
   * Calls the API with the page's `fetch`, `times` at once, and resolves to the statuses. The addresses differ, because
   * Chromium sends requests for the same address one after the other.
   */
  call(method: string, url: string, body?: object, times = 1): Promise<number[]> {
    return this.page.evaluate(async ([method, url, body, times]) => {
      const content = body === undefined ? {} : { body: JSON.stringify(body) }
      const init = { method, headers: { 'content-type': 'application/json' }, ...content }
      const responses = await Promise.all(Array.from({ length: times }, (_, number) => fetch(`${url}?${number}`, init)))
      return responses.map(({ status }) => status)
    }, [method, url, body, times] as const)
  }

  /** Calls the API without the package: with the cookies, without its headers. Resolves to the status. */
  callWithoutProof(method: string, url: string): Promise<number> {
    return this.page.evaluate(async ([method, url]) => {
      const { status } = await fetch(`${url}?superTokensDoNotDoInterception`, { method, credentials: 'include' })
      return status
    }, [method, url] as const)
  }

  /** The session, as far as the package knows it. The package refreshes an access token that has expired. */
  session(): Promise<SessionView> {
    return this.page.evaluate(async () => {
      const exists = await supertokens.doesSessionExist()
      if (!exists) return { exists, userId: null, payload: null }
      const [userId, payload] = [await supertokens.getUserId(), await supertokens.getAccessTokenPayloadSecurely()]
      return { exists, userId, payload }
    })
  }

  /** Refreshes, whether the access token has expired or not. */
  refresh(): Promise<boolean> {
    return this.page.evaluate(() => supertokens.attemptRefreshingSession())
  }

  signOut(): Promise<void> {
    return this.page.evaluate(() => supertokens.signOut())
  }

  events(): Promise<string[]> {
    return this.page.evaluate(() => sessionEvents)
  }

  /** The names of the cookies that the page's scripts can read. */
  readableCookies(): Promise<string[]> {
    return this.page.evaluate(() =>
      document.cookie.split('; ').filter(pair => pair !== '').map(pair => pair.split('=')[0] ?? ''))
  }

  /** The value of a cookie that the page's scripts can read. */
  readableCookie(name: string): Promise<string> {
    return this.page.evaluate(name =>
      document.cookie.split('; ').find(pair => pair.startsWith(`${name}=`))?.slice(name.length + 1) ?? '', name)
  }
}
