/** A private Postgres or Redis that runs: `ended` resolves (with a phrase) when it stops for whatever reason. */
export interface Service {
  pid: number
  ended: Promise<string>
  stop: () => Promise<void>
}
