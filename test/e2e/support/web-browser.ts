/** The part of a page that the client's tests need, in any browser. Playwright's pages and frames have it. */
export interface Scripted {
  /** Runs a function in the page. Its argument and result are sent as JSON; it cannot use variables of the test. */
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

/** A profile within a browser. Its tabs share cookies, storage, locks and messages with each other only. */
export interface Profile {
  /** Opens a page, and waits until it has loaded. */
  openTab(url: string): Promise<Tab>
  /** Runs a function in each page that is opened from now on, before the page's own scripts. */
  runFirst(script: () => void): Promise<void>
  setOffline(isOffline: boolean): Promise<void>
  cookies(): Promise<readonly Cookie[]>
}

/** A running browser. */
export interface WebBrowser {
  newProfile(): Promise<Profile>
  closeProfiles(): Promise<void>
  close(): Promise<void>
}
