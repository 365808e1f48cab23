/** postgres.js, which the package of the project does not list. */
declare module 'postgres' {
  interface Transaction {
    unsafe(
      text: string, values?: (string | number | boolean | null)[], options?: { readonly prepare?: boolean },
    ): PromiseLike<unknown>
  }
  interface Sql extends Transaction {
    begin(options: string, work: (transaction: Transaction) => Promise<unknown>): PromiseLike<unknown>
    end(options: { readonly timeout: number }): Promise<void>
  }
  export default function postgres(url: string, options: Readonly<Record<string, unknown>>): Sql
}
