/** What the tests of a client need of a page, in any browser; Playwright's pages and frames have it. */
export interface Scripted {
  /** Runs a function in the page. Its argument and its result travel as JSON; nothing else of the test does. */
  evaluate<Result, Argument>(
    task: (argument: Argument) => Result | Promise<Result>,
    argument: Argument,
  ): Promise<Result>
  evaluate<Result>(task: () => Result | Promise<Result>): Promise<Result>
}

export interface Tab extends Scripted {
  close(): Promise<void>
}

export interface Cookie {
  readonly name: string
}

/** A profile of its own within a browser: its tabs share cookies, storage, locks and messages with no other's. */
export interface Profile {
  /** Opens a page, and waits until it has loaded. */
  openTab(url: string): Promise<Tab>
  /** Runs a function in each page that is opened from now on, before the page's own scripts. */
  runFirst(script: () => void): Promise<void>
  setOffline(isOffline: boolean): Promise<void>
  cookies(): Promise<readonly Cookie[]>
}

/** A browser that runs. */
export interface WebBrowser {
  newProfile(): Promise<Profile>
  closeProfiles(): Promise<void>
  close(): Promise<void>
}
