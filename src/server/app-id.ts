/** The form of an application's id in the path of a request. */
export const APP_ID: RegExp = /^[a-z0-9-]{1,64}$/

/** The name that an application's refresh tokens are bound to. That of `public` is the embedded library's default. */
export function applicationNameOf(appId: string): string {
  return appId === 'public' ? 'default' : appId
}

/** Whether a text can be the id of an application with a store: it becomes part of the names of its tables. */
export function isAppId(text: string): boolean {
  return /^[a-z0-9-]{1,20}$/.test(text)
}

/** Splits `[/appid-<id>]<rest>`. A path without an application's id belongs to `public`. */
export function splitAppId(path: string): { readonly appId: string; readonly rest: string } {
  const [, appId = '', rest = ''] = /^\/appid-([^/]*)(\/.*)?$/.exec(path) ?? []
  return APP_ID.test(appId) ? { appId, rest } : { appId: 'public', rest: path }
}
