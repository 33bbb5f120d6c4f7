declare module 'bcrypt' {
  /** Hashes in the thread pool. */
  export function hash(password: string, rounds: number): Promise<string>
  /** Compares in the thread pool. */
  export function compare(password: string, hash: string): Promise<boolean>
}
