/** Does something that may take a while, and tells what it is and how long it took. */
export type StepRunner = <T>(name: string, act: () => Promise<T> | T) => Promise<T>

/** A step whose line is begun before the act and ended after it: `Starting Redis ... 0.2 s`. */
export const runStep: StepRunner = async (name, act) => {
  const began = performance.now()
  process.stdout.write(`${name} ... `)
  try {
    const done = await act()
    process.stdout.write(`${((performance.now() - began) / 1000).toFixed(1)} s\n`)
    return done
  } catch (error) {
    process.stdout.write('failed\n')
    throw error
  }
}
