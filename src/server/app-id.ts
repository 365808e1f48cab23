/** What the id of an application looks like, in the path of a request. */
export const APP_ID: RegExp = /^[a-z0-9-]{1,64}$/

/** The name that the refresh tokens of an application are bound to: an embedded library's default for `public`. */
export function applicationNameOf(appId: string): string {
  return appId === 'public' ? 'default' : appId
}

/** Whether a text can be the id of an application whose sessions stay: its tables have it in their names. */
export function isAppId(text: string): boolean {
  return /^[a-z0-9-]{1,20}$/.test(text)
}

/** Splits `[/appid-<id>]<rest>`. A path that names no application is of `public`, all of it. */
export function splitAppId(path: string): { readonly appId: string; readonly rest: string } {
  const [, appId = '', rest = ''] = /^\/appid-([^/]*)(\/.*)?$/.exec(path) ?? []
  return APP_ID.test(appId) ? { appId, rest } : { appId: 'public', rest: path }
}
